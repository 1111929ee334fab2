"""A wrapper around every environment that reports, in words, what is wrong with it."""

from __future__ import annotations

import logging
import multiprocessing
import warnings
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import gymnasium as gym
import numpy as np

from rstdp_agents.base import plugins, signals
from rstdp_agents.base.errors import EnvironmentFault
from rstdp_agents.base.once import warn_once
from rstdp_agents.base.wording import short, shown

logger = logging.getLogger(__name__)

CHECKED = 20
"""Steps in which the bounds of numbers are checked too."""
STEP, RESET = "(observation, reward, terminated, truncated, info)", "(observation, info)"
SCALARISE = (
    "it needs a wrapper that turns it into one number: `--wrapper mo_gymnasium.wrappers:LinearReward` for mo-gymnasium"
)
BOOLS = frozenset((bool, np.bool_))
NUMBERS = frozenset((float, int, np.float64, np.float32, np.int64, np.int32))
"""Types of a reward that need no further check."""


class Guard(gym.Wrapper):
    """Turns violations of Gymnasium's interface into an EnvironmentFault that names environment, call, value and expectation.

    Exceptions of `reset` and `step` are caught, and their results checked, in every step: a reward that is not a float, a flag
    that is not a bool, or an observation of another type or shape than the last one is examined further, and equivalent forms
    are accepted (`_reward`, `_flag`). Numbers beyond the bounds of their space trigger one warning, in the
    first `CHECKED` steps; encoders clip them to the bounds. name: the environment's name, for messages.
    """

    def __init__(self, env: gym.Env, name: str) -> None:
        super().__init__(env)
        self.name, self.steps, self._warned, self._is_closed = name, 0, False, False
        self._known: Callable[[Any], Any] = lambda _: False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        try:
            result = self.env.reset(seed=seed, options=options)
        except BaseException as error:
            raise self._raised("reset()", error, RESET) from error
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Mapping)):
            raise self._fault("reset()", shown(result), f"{RESET}, info being a dict")
        if not self._known(result[0]):
            self._check_observation("reset()", result[0])
        return result

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        try:
            result = self.env.step(action)
        except BaseException as error:
            raise self._raised(f"step({shown(action)})", error, STEP) from error
        if (type(result) is not tuple and not isinstance(result, tuple)) or len(result) != 5:
            old = isinstance(result, tuple) and len(result) == 4
            raise self._fault("step()", shown(result), f"{STEP}{', not the four of the old gym API' if old else ''}")
        obs, reward, ended, cut, info = result
        if not self._known(obs):
            self.steps += 1
            self._check_observation("step()", obs)
        flags = (ended is False or ended is True) and (cut is False or cut is True)
        if flags and type(reward) in NUMBERS and type(info) is dict:
            return result
        return obs, *self._normal(reward, ended, cut, info)

    def close(self) -> None:
        """Close the environment, once; exceptions are only reported."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.env.close()
        except Exception as error:
            warn_once(logger, f"environment {self.name!r}: close() raised {plugins.said(error)}")

    def render(self) -> Any:
        try:
            picture = self.env.render()
        except Exception as error:
            raise self._raised("render()", error, "a picture") from error
        if self.render_mode == "rgb_array":
            fits = isinstance(picture, np.ndarray) and picture.ndim == 3 and picture.shape[2] == 3 and picture.size
            if not fits:
                raise self._fault("render()", shown(picture), "a picture (height, width, 3) of uint8")
        return picture

    def _normal(self, reward: Any, ended: Any, cut: Any, info: Any) -> tuple[float, bool, bool, Any]:
        """The results besides the observation, as float, bools and dict."""
        if not isinstance(info, Mapping):
            raise self._fault("step()", f"info {shown(info)}", "a dict")
        return self._reward(reward), self._flag("terminated", ended), self._flag("truncated", cut), info

    def _reward(self, reward: Any) -> float:
        if type(reward) in NUMBERS:
            return float(reward)
        known = isinstance(reward, Real) or hasattr(reward, "dtype")
        array = np.asarray(reward) if known else np.array(None)
        if array.size != 1 or array.dtype.kind not in "buif":
            received: Any = reward
            vector = np.ndim(received) > 0 and np.size(received) != 1
            raise self._fault(
                "step()", f"the reward {shown(reward)}", f"one number{f'; {SCALARISE}' if vector else ''}"
            )
        return float(array.reshape(()))

    def _flag(self, name: str, value: Any) -> bool:
        if type(value) not in BOOLS:
            array = np.asarray(value) if hasattr(value, "dtype") else np.array(None)
            if array.size != 1 or array.dtype != bool:
                raise self._fault("step()", f"{name} {shown(value)}", "True or False")
        return bool(value)

    def _check_observation(self, call: str, obs: Any) -> None:
        space = self.observation_space
        if not contains(space, obs):
            what, beyond = outside(space, obs)
            if not what and _has_fractions(space, obs):
                self._fractions(call, obs)
            if what and not beyond:
                raise self._fault(call, f"the observation{what}", f"one in its space {short(str(space))}")
            if beyond and not self._warned:
                self._warned = True
                warnings.warn(f"environment {self.name!r}: {call} returned the observation{what}", stacklevel=2)
        if self.steps >= CHECKED:
            self._known = alike(obs, space)

    def _fractions(self, call: str, obs: np.ndarray) -> None:
        """Report integers that become floats in the middle of a run; memory shared between processes has no room for them."""
        if multiprocessing.parent_process() is not None:
            raise self._fault(
                call, f"{obs.dtype} numbers", f"{self.observation_space.dtype}, as its space says (or `serial`)"
            )
        what = f"{call} returned {obs.dtype} numbers, not {self.observation_space.dtype}"
        warn_once(logger, f"environment {self.name!r}: {what}: they are used as they are")

    def _fault(self, call: str, got: str, expected: str) -> EnvironmentFault:
        return EnvironmentFault(f"environment {self.name!r}: {call} returned {got}; expected {expected}")

    def _raised(self, call: str, error: BaseException, returns: str) -> BaseException:
        """The fault of an environment that raised; Ctrl-C is not a fault."""
        if isinstance(error, KeyboardInterrupt) and signals.ctrl_c_raises():
            return error
        hint = f"; it must return {returns}" if "values to unpack" in str(error) else ""
        return EnvironmentFault(f"environment {self.name!r}: {call} raised {plugins.said(error)}{hint}")


def alike(obs: Any, space: gym.Space) -> Callable[[Any], Any]:
    """A test whether another observation is like ``obs`` and needs no further check: same type and shape, integers in range.

    Numbers within parts, and values that are not finite, are checked in rows (`grid.check_step`).
    """
    kind = type(obs)
    if kind is np.ndarray:
        shape, dtype = obs.shape, obs.dtype
        return lambda other: type(other) is kind and other.shape == shape and other.dtype is dtype
    if isinstance(space, gym.spaces.Discrete) and kind in NUMBERS:
        first, beyond = int(space.start), int(space.start + space.n)
        return lambda other: type(other) is kind and first <= other < beyond
    return lambda other: type(other) is kind and (kind is dict or kind is tuple)


def _has_fractions(space: gym.Space, obs: Any) -> bool:
    whole = isinstance(space, gym.spaces.Box) and np.issubdtype(space.dtype, np.integer)
    return whole and isinstance(obs, np.ndarray) and np.issubdtype(obs.dtype, np.floating)


def contains(space: gym.Space, obs: Any) -> bool:
    """Whether ``obs`` is in ``space``; of lists for arrays nothing is said."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return space.contains(obs)


def outside(space: gym.Space, obs: Any) -> tuple[str, bool]:
    """Why ``obs`` is not in ``space``, in words, and whether it is only a number beyond its bounds; no words if acceptable.

    A Box is lenient about the precision of numbers, and accepts lists as arrays.
    """
    if isinstance(space, gym.spaces.Dict) and isinstance(obs, Mapping):
        parts = [(f"[{key!r}]", space[key], obs.get(key)) for key in space.spaces]
    elif isinstance(space, gym.spaces.Tuple) and isinstance(obs, (tuple, list)) and len(obs) == len(space.spaces):
        parts = [(f"[{i}]", part, one) for i, (part, one) in enumerate(zip(space.spaces, obs))]
    elif isinstance(space, gym.spaces.Box):
        return _outside_box(space, obs)
    else:
        array = np.asarray(obs)
        whole = array.ndim == 0 and np.issubdtype(array.dtype, np.integer)
        if isinstance(space, gym.spaces.Discrete) and whole and space.contains(array.item()):
            return "", False
        return f" {shown(obs)}", False
    for name, part, one in parts:
        what, beyond = ("", False) if contains(part, one) else outside(part, one)
        if what:
            return name + what, beyond
    return "", False


def _outside_box(space: gym.spaces.Box, obs: Any) -> tuple[str, bool]:
    try:
        array = np.asarray(obs, dtype=np.float64)
    except (TypeError, ValueError):
        return f" {shown(obs)}", False
    if array.shape != space.shape:
        return f" of shape {array.shape}", False
    wrong = np.argwhere((array < space.low) | (array > space.high))
    if not len(wrong):
        return "", False  # only precision, or NaN, which is checked in every step
    i = tuple(wrong[0].tolist())
    return f" with {array[i]:g} at {list(i)}, beyond its bounds {space.low[i]:g} and {space.high[i]:g}", True
