"""Wrappers that learn, such as running means of observations: what they have learnt belongs to the agent that learnt with them.

A wrapper may define this itself by a pair of methods: ``state_dict()`` returns it (numbers, texts, arrays, tensors, and
collections of them), ``load_state_dict(state)`` restores it. For a wrapper without them, it is every attribute that has
changed since the wrapper was made. Gymnasium's own wrappers learn if they have ``update_running_mean``, and not otherwise.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium as gym

from rstdp_agents.base.json_values import from_plain, to_plain
from rstdp_agents.base.once import warn_once
from rstdp_agents.environments.state import State, changed, keep, put_state, slots, state_of

logger = logging.getLogger(__name__)
STARTS_ANEW = "it starts from scratch in evaluation and on resume; give it state_dict() and load_state_dict()"
OWN = f"{__package__}."
"""Prefix of this package's modules, whose wrappers are not part of an environment."""
Learnt = list[dict[str, Any]]
"""What each wrapper of an env has learnt, outermost first, as plain data: its class, and ``state_dict`` or ``attributes``."""


def layers(env: gym.Env) -> Iterator[gym.Env]:
    """The env and everything it wraps, outermost first, without the wrappers of this package."""
    while True:
        if not type(env).__module__.startswith(OWN):
            yield env
        if not isinstance(env, gym.Wrapper):
            return
        env = env.env


def learners(env: gym.Env) -> list[gym.Wrapper]:
    """The wrappers of an env that may learn."""
    return [layer for layer in layers(env) if isinstance(layer, gym.Wrapper) and _learns(layer)]


def says_itself(wrapper: gym.Wrapper) -> bool:
    """Whether a wrapper has ``state_dict`` and ``load_state_dict``."""
    return all(callable(getattr(type(wrapper), name, None)) for name in ("state_dict", "load_state_dict"))


class FreshWrappers:
    """The initial state of a new env's wrappers, from which to tell later what they have learnt."""

    def __init__(self, env: gym.Env) -> None:
        self._before = [(wrapper, *_initial(wrapper)) for wrapper in learners(env)]

    def learnt(self) -> Learnt:
        """What they have learnt since. Warns once about a wrapper that changes something that cannot be saved."""
        found: Learnt = []
        for wrapper, initial, unknown in self._before:
            name = type(wrapper).__qualname__
            if says_itself(wrapper):
                found.append({"wrapper": name, "state_dict": _kept(wrapper)})  # pyright: ignore
                continue
            found.append({"wrapper": name, "attributes": changed(state_of(wrapper, large=False), initial)})
            for path, mark in _marks(wrapper).items():
                if unknown.get(path) != mark:
                    what = f"wrapper {name} changes {path.lstrip('.')}, which cannot be saved"
                    warn_once(logger, f"{what}: {STARTS_ANEW}")
                    break
        return found


def teach(env: gym.Env, learnt: Learnt, frozen: bool = False) -> None:
    """Give the wrappers of a fresh env what others have learnt; frozen: they stop learning, if they have a switch for it.

    Wrappers that do not match, after a change of wrappers, start from scratch, with a warning.
    """
    wrappers = learners(env)
    if [one["wrapper"] for one in learnt] != [type(wrapper).__qualname__ for wrapper in wrappers]:
        logger.warning("the wrappers differ from those that learnt before: they start from scratch")
        return
    for wrapper, one in zip(wrappers, learnt, strict=True):
        if "state_dict" in one:
            wrapper.load_state_dict(from_plain(one["state_dict"]))  # pyright: ignore[reportAttributeAccessIssue]
        else:
            put_state(wrapper, one["attributes"])
        if frozen and hasattr(wrapper, "update_running_mean"):
            wrapper.update_running_mean = False  # pyright: ignore[reportAttributeAccessIssue]


class Frozen(gym.Wrapper):
    """An env whose wrappers have what others have learnt, and learn nothing more: it is restored before every episode.

    For a wrapper with ``state_dict`` and ``load_state_dict``, before every step.
    """

    def __init__(self, env: gym.Env, learnt: Learnt) -> None:
        super().__init__(env)
        self._learnt, self._each_step = learnt, any("state_dict" in one for one in learnt)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        teach(self.env, self._learnt, frozen=True)
        result = self.env.reset(seed=seed, options=options)
        self._unlearn()
        return result

    def step(self, action: Any) -> Any:
        result = self.env.step(action)
        self._unlearn()
        return result

    def _unlearn(self) -> None:
        if self._each_step:
            for wrapper, one in zip(learners(self.env), self._learnt, strict=True):
                if "state_dict" in one:
                    wrapper.load_state_dict(from_plain(one["state_dict"]))  # pyright: ignore[reportAttributeAccessIssue]


def _learns(wrapper: gym.Wrapper) -> bool:
    if type(wrapper).__module__.partition(".")[0] == "gymnasium":
        return hasattr(wrapper, "update_running_mean")
    return True


def _initial(wrapper: gym.Wrapper) -> tuple[State, dict[str, Any]]:
    return ({}, {}) if says_itself(wrapper) else (state_of(wrapper, large=False), _marks(wrapper))


def _kept(wrapper: gym.Wrapper) -> Any:
    try:
        return to_plain(wrapper.state_dict())  # pyright: ignore[reportAttributeAccessIssue]
    except TypeError as error:
        raise TypeError(f"state_dict() of wrapper {type(wrapper).__qualname__}: {error}") from error


def _marks(wrapper: gym.Wrapper) -> dict[str, Any]:
    """A mark for each value in a wrapper that cannot be saved; it differs if the value has visibly changed."""
    return {
        slot.path: (id(slot.value), _fingerprint(slot.value)) for slot in slots(wrapper) if keep(slot.value) is None
    }


def _fingerprint(value: Any) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pickling iterators is deprecated
            return hashlib.sha256(pickle.dumps(value)).hexdigest()
    except Exception:  # whatever an object may raise
        return ""
