"""The state that steps change in an environment: found in its objects, saved as plain data, restored into a fresh one.

Gymnasium has no way to save an environment. It consists of Python objects: this module visits the attributes of each, and
of the objects in them, and reads every number, text, array, collection of these and random generator. Restoring them
only assigns values to existing attributes: no class is looked up by name, and no code is run.
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
"""Size of the largest array that is saved; for a larger one only a digest is."""
FEW = 1024
"""Size of the largest collection that is saved; a larger one counts as constant."""
LARGEST = 10_000_000
"""Size of the largest array that gets a digest; a larger one counts as constant."""
DEPTH = 4
"""Nesting depth up to which objects and collections are searched."""
MANY = 64
"""Elements of a list that are searched for objects."""
SLOTS = 2_000
"""Total number of places that are visited."""
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
"""Code, spaces, and environments (each of which is visited separately)."""
TOOLS = frozenset((
    "asyncio", "concurrent", "ctypes", "io", "logging", "matplotlib", "multiprocessing", "pygame", "socket", "subprocess",
    "threading", "weakref",
))  # fmt: skip
"""Packages whose objects environments use, but which are not part of what they simulate."""
LIBRARIES = frozenset(("abc", "builtins", "gymnasium", "typing"))
"""Packages whose classes environments derive from; attributes of these classes do not belong to an environment."""

Plain = Any
State = dict[str, Plain]
"""Values by path, as `json_values.to_plain` writes them, plus two more kinds, ``random`` and ``large``."""


class Slot(NamedTuple):
    """A place in an object that holds a value."""

    path: str
    """In Python's notation: ``.level``, ``.world.pieces[3].at``, ``Maze.count`` for a class."""
    value: Any
    put: Callable[[Any], None]
    """Assigns another value."""


def state_of(layer: Any, large: bool = True) -> State:
    """Every value that belongs to an environment, or to one wrapper; large: whether to make digests of large arrays."""
    return {slot.path: plain for slot in slots(layer) if (plain := keep(slot.value, large)) is not None}


def changed(now: State, before: State) -> State:
    """The values of ``now`` that differ from ``before``, or are new."""
    return {path: value for path, value in now.items() if path not in before or before[path] != value}


def put_state(layer: Any, saved: State) -> None:
    """Assign the values of ``saved`` that differ from the environment's. Its own attributes that are missing are created."""
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
    """Paths of large arrays that differ from ``saved``, which `put_state` cannot restore."""
    large = {path: plain for path, plain in saved.items() if _is(plain, "large")}
    return sorted(changed(large, state_of(layer))) if large else []


def weight(layer: Any) -> int:
    """Approximate number of values that `state_of` reads."""
    return sum(min(size_of(slot.value), FEW) for slot in slots(layer))


def slots(layer: Any) -> Iterator[Slot]:
    """The places of an environment that hold a value, or something unknown; each object once, at most `SLOTS`."""
    return islice(_slots(layer), SLOTS)


def keep(value: Any, large: bool = True) -> Plain:
    """A value for JSON, a digest if it is a large array, or None if it cannot be saved."""
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
    """The value that `keep` wrote; for a random generator its state, for a member of an enumeration its name."""
    return next(iter(plain.values())) if _is(plain, "random", "enum", "large") else from_plain(plain)


def random_state(generator: Any) -> Any:
    """State of a random generator of any of the kinds `RANDOM`."""
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
    """The package of a class; some classes of compiled code name none."""
    return str(getattr(cls, "__module__", "")).partition(".")[0]


def attributes(owner: Any) -> list[str]:
    """Names of an object's own attributes, in its dictionary or in slots."""
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
    elif depth == 0 or not _is_searched(value):
        yield Slot(path, value, put)
    else:
        seen.add(id(value))
        yield from _within(value, path, seen, depth - 1)


def _is_searched(value: Any) -> bool:
    """Whether to search within a value: an object with attributes, or a small collection that holds such objects."""
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
    """Assign a value to a place: in place for objects that may be shared, a generator, a tensor, a collection of another type."""
    now = slot.value
    if isinstance(now, RANDOM) and _is(plain, "random"):
        _put_random(now, from_plain(plain["random"]))
    elif isinstance(now, Enum) and _is(plain, "enum"):
        slot.put(type(now)[plain["enum"]])
    elif _is(plain, "random", "enum"):
        raise ValueError(f"{slot.path} has changed its type: it is now {shown(now)}")
    elif isinstance(now, torch.Tensor):
        now.data.copy_(from_plain(plain))
    elif isinstance(now, COLLECTIONS) and type(now) not in COLLECTIONS:
        slot.put(_like(now, from_plain(plain)))
    else:
        slot.put(from_plain(plain))


def _like(collection: Any, content: Any) -> Any:
    """``content`` in a collection derived from a built-in one: the same object, or for a tuple a new one of its type."""
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
    """A collection derived from a built-in one (a Counter, a named tuple) as the built-in one."""
    kind = next((kind for kind in COLLECTIONS if isinstance(value, kind)), None)
    return value if kind in (None, type(value)) else kind(value)


def size_of(value: Any) -> int:
    """Size of an array, or of a collection with all its content; beyond `LARGEST` if it is not saved."""
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
        unknown = isinstance(one, COLLECTIONS) and type(one) not in COLLECTIONS  # it could not be restored
        total += LARGEST + 1 if unknown else size_of(one) - 1
        if total > FEW:
            return LARGEST + 1
    return total


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _is(plain: Plain, *kinds: str) -> bool:
    return isinstance(plain, dict) and next(iter(plain), None) in kinds
