"""Wrappers that learn, such as running means of observations: what they have learnt belongs to the agent that learnt with them.

A wrapper may say itself what that is, by a pair of methods: ``state_dict()`` returns it (numbers, texts, arrays, tensors, and
collections of them), ``load_state_dict(state)`` takes it back. Of a wrapper without them, every attribute counts that is no
longer what it was when the wrapper was made. Gymnasium's own learn where they have ``update_running_mean``, the others do not.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import gymnasium as gym

from rstdp_agents.base.json_values import from_plain, to_plain
from rstdp_agents.environments.state import State, changed, keep, put_state, slots, state_of

logger = logging.getLogger(__name__)
OWN = f"{__package__}."
"""What the modules of this package begin with, whose wrappers are no part of an environment."""
Learnt = list[dict[str, Any]]
"""What each wrapper of an env has learnt, from the outside, as plain data: its class, and ``state_dict`` or ``attributes``."""


def layers(env: gym.Env) -> Iterator[gym.Env]:
    """The env and all that it wraps, from the outside; not what this package puts around it."""
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
    """Whether a wrapper has the pair of methods."""
    return all(callable(getattr(type(wrapper), name, None)) for name in ("state_dict", "load_state_dict"))


class Newborn:
    """The wrappers of an env that has just been made, to tell later what they have learnt."""

    def __init__(self, env: gym.Env) -> None:
        self._before = [(wrapper, *_newborn(wrapper)) for wrapper in learners(env)]

    def learnt(self) -> Learnt:
        """What they have learnt since. Says once of a wrapper that it changes what cannot be kept."""
        found: Learnt = []
        for wrapper, born, unknown in self._before:
            name = type(wrapper).__qualname__
            if says_itself(wrapper):
                found.append({"wrapper": name, "state_dict": _kept(wrapper)})  # pyright: ignore
                continue
            found.append({"wrapper": name, "attributes": changed(state_of(wrapper, large=False), born)})
            for path, mark in _marks(wrapper).items():
                if unknown.get(path) != mark:
                    _warn(f"wrapper {name} changes {path.lstrip('.')}, which cannot be saved")
                    break
        return found


def teach(env: gym.Env, learnt: Learnt, frozen: bool = False) -> None:
    """Give the wrappers of a fresh env what others have learnt; frozen: they do not learn more, where they can be told so.

    What does not fit, after a change of wrappers, starts anew, and is said.
    """
    wrappers = learners(env)
    if [one["wrapper"] for one in learnt] != [type(wrapper).__qualname__ for wrapper in wrappers]:
        logger.warning("wrappers are not those that learnt before: they start anew")
        return
    for wrapper, one in zip(wrappers, learnt, strict=True):
        if "state_dict" in one:
            wrapper.load_state_dict(from_plain(one["state_dict"]))  # pyright: ignore[reportAttributeAccessIssue]
        else:
            put_state(wrapper, one["attributes"])
        if frozen and hasattr(wrapper, "update_running_mean"):
            wrapper.update_running_mean = False  # pyright: ignore[reportAttributeAccessIssue]


class Frozen(gym.Wrapper):
    """An env whose wrappers know what others have learnt, and learn nothing: every episode begins with just that.

    Of a wrapper with the pair of methods, every step does.
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


def _newborn(wrapper: gym.Wrapper) -> tuple[State, dict[str, Any]]:
    return ({}, {}) if says_itself(wrapper) else (state_of(wrapper, large=False), _marks(wrapper))


def _kept(wrapper: gym.Wrapper) -> Any:
    try:
        return to_plain(wrapper.state_dict())  # pyright: ignore[reportAttributeAccessIssue]
    except TypeError as error:
        raise TypeError(f"state_dict() of wrapper {type(wrapper).__qualname__}: {error}") from error


def _marks(wrapper: gym.Wrapper) -> dict[str, Any]:
    """A mark for each thing in a wrapper that cannot be kept, which is another where that has changed, as far as it shows."""
    return {slot.path: (id(slot.value), _print(slot.value)) for slot in slots(wrapper) if keep(slot.value) is None}


def _print(value: Any) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # iterators will not be pickled for ever
            return hashlib.sha256(pickle.dumps(value)).hexdigest()
    except Exception:  # whatever an object may raise
        return ""


@cache
def _warn(what: str) -> None:
    logger.warning("%s: it starts anew in evaluation and on resume; give it state_dict() and load_state_dict()", what)
