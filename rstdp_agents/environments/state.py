"""What the steps of an environment change in it: found by looking at its objects, kept as plain data, put back into a fresh one.

Gymnasium has no way to save an environment. What it is made of are Python objects: this goes through the attributes of each, and
of the objects in them, and reads every number, text, array, collection of such and random generator that it finds. Putting them
back only gives values to attributes that are there: no class is looked up by name, and no code is run.
"""

from __future__ import annotations

import random
import types
from collections import deque
from collections.abc import Callable, Iterator
from enum import Enum
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
from gymnasium.envs.registration import EnvSpec

from rstdp_agents.base.json_values import digest, from_plain, to_plain
from rstdp_agents.base.wording import shown

SMALL = 4096
"""Numbers of the largest array that is kept; of a larger one only a digest is."""
FEW = 1024
"""Numbers of the largest collection that is kept; a larger one counts as what never changes."""
LARGEST = 10_000_000
"""Numbers of the largest array of which a digest is made; a larger one counts as what never changes."""
DEPTH = 4
"""Objects within objects, and collections within collections, that are looked into."""
MANY = 64
"""Elements of a list that is looked into for objects."""
SLOTS = 2_000
"""Places that are looked at in all."""
RANDOM = np.random.Generator, np.random.RandomState, random.Random
LEAVES = bool, int, float, complex, str, bytes, type(None), np.generic, np.ndarray, torch.Tensor, Enum
COLLECTIONS = list, tuple, dict, set, frozenset, deque
NO_STATE = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    gym.Space,
    EnvSpec,
    gym.Env,
)
"""Code, spaces, and environments, each of which is looked at by itself."""
TOOLS = frozenset((
    "asyncio", "concurrent", "ctypes", "io", "logging", "matplotlib", "multiprocessing", "pygame", "socket", "subprocess",
    "threading", "weakref",
))  # fmt: skip
"""Packages whose objects environments use, and that are no part of what they simulate."""
LIBRARIES = frozenset(("abc", "builtins", "gymnasium", "typing"))
"""Packages whose classes an environment derives from; what stands in these classes is not its own."""

Plain = Any
State = dict[str, Plain]
"""Values as `plain.to_plain` writes them, and two kinds more, ``random`` and ``large``, by path."""


class Slot(NamedTuple):
    """A place in an object that holds a value."""

    path: str
    """As Python would write it: ``.level``, ``.world.pieces[3].at``, ``Maze.count`` of a class."""
    value: Any
    put: Callable[[Any], None]
    """Gives it another value."""


def state_of(layer: Any, large: bool = True) -> State:
    """Every value that is an environment's own, or one wrapper's; large: whether to make digests of large arrays."""
    return {slot.path: plain for slot in slots(layer) if (plain := keep(slot.value, large)) is not None}


def changed(now: State, before: State) -> State:
    """The values of ``now`` that were others before, or are new."""
    return {path: value for path, value in now.items() if path not in before or before[path] != value}


def put_state(layer: Any, saved: State) -> None:
    """Give an environment the values of ``saved`` where it has others. Attributes of its own that it lacks are made."""
    for slot in list(slots(layer)):
        plain = saved.get(slot.path, slot)
        if plain is not slot and not _is(plain, "large") and plain != keep(slot.value, large=False):
            _put(slot, plain)
    for path, plain in saved.items():
        name = path.removeprefix(".")
        if (
            path.startswith(".")
            and name.isidentifier()
            and name not in vars(layer)
            and not _is(plain, "large", "random", "enum")
        ):
            vars(layer)[name] = from_plain(plain)


def unlike(layer: Any, saved: State) -> list[str]:
    """Paths of large arrays that are others than ``saved`` says, which `put_state` cannot help."""
    large = {path: plain for path, plain in saved.items() if _is(plain, "large")}
    return sorted(changed(large, state_of(layer))) if large else []


def weight(layer: Any) -> int:
    """About how many numbers `state_of` looks at."""
    return sum(min(size_of(slot.value), FEW) for slot in slots(layer))


def slots(layer: Any) -> Iterator[Slot]:
    """The places of an environment that hold a value, or something unknown; each object once, `SLOTS` in all."""
    return islice(_slots(layer), SLOTS)


def keep(value: Any, large: bool = True) -> Plain:
    """A value as JSON holds it, a digest of it if it is a large array, or None for what cannot be kept."""
    if isinstance(value, RANDOM):
        return {"random": to_plain(random_state(value))}
    if isinstance(value, Enum):
        return {"enum": value.name}
    size = size_of(value)
    if size > SMALL:
        return {"large": digest(value)} if large and size <= LARGEST else None
    try:
        return to_plain(_base(value))
    except (TypeError, RecursionError):
        return None


def value_of(plain: Plain) -> Any:
    """The value that `keep` wrote; of a random generator its state, of a member of an enumeration the name."""
    return next(iter(plain.values())) if _is(plain, "random", "enum", "large") else from_plain(plain)


def random_state(generator: Any) -> Any:
    """Where a random generator stands, of any of the kinds `RANDOM`."""
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state() if isinstance(generator, np.random.RandomState) else generator.getstate()


def _slots(layer: Any) -> Iterator[Slot]:
    seen = {id(layer)}
    yield from _of_object(layer, "", seen, DEPTH)
    for cls in type(layer).__mro__:
        if _package(cls) not in LIBRARIES:
            yield from _of_class(cls)


def _of_object(owner: Any, path: str, seen: set[int], depth: int) -> Iterator[Slot]:
    for name in attributes(owner):
        yield from _of_value(
            getattr(owner, name, None), f"{path}.{name}", partial(object.__setattr__, owner, name), seen, depth
        )


def _package(cls: type) -> str:
    """The package of a class; some made by compiled code name none."""
    return str(getattr(cls, "__module__", "")).partition(".")[0]


def attributes(owner: Any) -> list[str]:
    """Names of what an object itself holds, in its dictionary or in slots."""
    fixed = [
        name
        for cls in type(owner).__mro__
        for name in _names(vars(cls).get("__slots__", ()))
        if not name.startswith("__")
    ]
    return [*getattr(owner, "__dict__", ()), *fixed]


def _of_value(value: Any, path: str, put: Callable[[Any], None], seen: set[int], depth: int) -> Iterator[Slot]:
    if isinstance(value, (*LEAVES, *RANDOM)):
        yield Slot(path, value, put)
    elif isinstance(value, NO_STATE) or id(value) in seen or _package(type(value)) in TOOLS:
        return
    elif depth == 0 or not _is_opened(value):
        yield Slot(path, value, put)
    else:
        seen.add(id(value))
        yield from _within(value, path, seen, depth - 1)


def _is_opened(value: Any) -> bool:
    """Whether to look into a value: an object with attributes, or a collection that is not large and holds such."""
    if not isinstance(value, COLLECTIONS):
        return bool(attributes(value))
    return size_of(value) <= FEW and keep(value, large=False) is None


def _within(value: Any, path: str, seen: set[int], depth: int) -> Iterator[Slot]:
    """The places of an object, or of a collection that holds more than plain values."""
    if isinstance(value, dict):
        for key in [key for key in value if isinstance(key, str | int)]:
            yield from _of_value(value[key], f"{path}[{key!r}]", partial(value.__setitem__, key), seen, depth)
    elif isinstance(value, list | tuple | deque):
        for i, one in enumerate(islice(value, MANY)):
            if attributes(one):  # the elements themselves stay what they are
                yield from _of_object(one, f"{path}[{i}]", seen, depth)
    elif not isinstance(value, COLLECTIONS):
        yield from _of_object(value, path, seen, depth)


def _of_class(cls: type) -> Iterator[Slot]:
    for name, value in list(vars(cls).items()):
        own = not name.startswith("__") and name not in ("metadata", "_abc_impl", "_is_protocol")
        if own and isinstance(value, (*LEAVES, *COLLECTIONS, *RANDOM)):
            yield Slot(f"{cls.__qualname__}.{name}", value, partial(setattr, cls, name))


def _put(slot: Slot, plain: Plain) -> None:
    """Give a place a value: in place for what others may hold too, a generator, a tensor, a collection of another type."""
    now = slot.value
    if isinstance(now, RANDOM) and _is(plain, "random"):
        _put_random(now, from_plain(plain["random"]))
    elif isinstance(now, Enum) and _is(plain, "enum"):
        slot.put(type(now)[plain["enum"]])
    elif _is(plain, "random", "enum"):
        raise ValueError(f"{slot.path} is no longer what it was, but {shown(now)}")
    elif isinstance(now, torch.Tensor):
        now.data.copy_(from_plain(plain))
    elif isinstance(now, COLLECTIONS) and type(now) not in COLLECTIONS:
        slot.put(_like(now, from_plain(plain)))
    else:
        slot.put(from_plain(plain))


def _like(collection: Any, content: Any) -> Any:
    """``content`` in a collection that is derived from Python's own: the same one, or for a tuple one of its type."""
    if isinstance(collection, tuple):
        return type(collection)(*content)
    collection.clear()
    (collection.update if isinstance(collection, dict | set) else collection.extend)(content)
    return collection


def _put_random(generator: Any, state: Any) -> None:
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        generator.setstate(state)


def _base(value: Any) -> Any:
    """A collection that is derived from Python's own (a Counter, a tuple with names) as that."""
    kind = next((kind for kind in COLLECTIONS if isinstance(value, kind)), None)
    return value if kind in (None, type(value)) else kind(value)


def size_of(value: Any) -> int:
    """Numbers of an array, or of a collection with all that is in it; beyond `LARGEST` for what is not kept."""
    if isinstance(value, np.ndarray):
        return LARGEST + 1 if value.dtype == object else value.size
    if isinstance(value, torch.Tensor):
        return value.numel()
    if isinstance(value, str | bytes):
        return 1 if len(value) <= SMALL else LARGEST + 1
    if not isinstance(value, COLLECTIONS):
        return 1
    total = len(value)
    for one in value.values() if isinstance(value, dict) else value:
        unknown = isinstance(one, COLLECTIONS) and type(one) not in COLLECTIONS  # it could not be made again
        total += LARGEST + 1 if unknown else size_of(one) - 1
        if total > FEW:
            return LARGEST + 1
    return total


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _is(plain: Plain, *kinds: str) -> bool:
    return isinstance(plain, dict) and next(iter(plain), None) in kinds
