"""What is wrong with an environment, in words: around every one that is made."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from numbers import Real
from typing import Any

import gymnasium as gym
import numpy as np

from rstdp_agents import plugins
from rstdp_agents.errors import EnvironmentFault
from rstdp_agents.wording import short, shown

CHECKED = 20
"""Steps after which what an environment returns is no longer looked at closely."""
STEP, RESET = "(observation, reward, terminated, truncated, info)", "(observation, info)"
SCALARISE = (
    "it takes a wrapper that makes one number of it: `--wrapper mo_gymnasium.wrappers:LinearReward` for mo-gymnasium"
)


class Guard(gym.Wrapper):
    """Turns what an environment must not do into an EnvironmentFault that names it, the call, the value and what is expected.

    What `reset` and `step` raise is caught always; what they return is checked in the first `CHECKED` steps and in every reset
    until then. Numbers beyond the bounds of their space are warned of, once; encoders take them for the bounds. name: of the
    environment, for messages.
    """

    def __init__(self, env: gym.Env, name: str) -> None:
        super().__init__(env)
        self.name, self.steps, self._warned = name, 0, False

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        try:
            result = self.env.reset(seed=seed, options=options)
        except Exception as error:
            raise self._raised("reset()", error, RESET) from error
        if self.steps < CHECKED:
            self._check_reset(result)
        return result

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        try:
            result = self.env.step(action)
        except Exception as error:
            raise self._raised(f"step({shown(action)})", error, STEP) from error
        if self.steps < CHECKED:
            self.steps += 1
            self._check_step(result)
        return result

    def render(self) -> Any:
        try:
            picture = self.env.render()
        except Exception as error:
            raise self._raised("render()", error, "a picture") from error
        if self.render_mode == "rgb_array":
            fits = isinstance(picture, np.ndarray) and picture.ndim == 3 and picture.shape[2] == 3 and picture.size
            self._require(fits, "render()", shown(picture), "a picture (height, width, 3) of uint8")
        return picture

    def _check_reset(self, result: Any) -> None:
        fits = isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], Mapping)
        self._require(fits, "reset()", shown(result), f"{RESET}, info being a dict")
        self._check_observation("reset()", result[0])

    def _check_step(self, result: Any) -> None:
        old = isinstance(result, tuple) and len(result) == 4
        expected = f"{STEP}{', not the four of the old gym API' if old else ''}"
        self._require(isinstance(result, tuple) and len(result) == 5, "step()", shown(result), expected)
        obs, reward, terminated, truncated, info = tuple(result)
        self._check_observation("step()", obs)
        self._check_reward(reward)
        for name, value in (("terminated", terminated), ("truncated", truncated)):
            self._require(isinstance(value, (bool, np.bool_)), "step()", f"{name} {shown(value)}", "True or False")
        self._require(isinstance(info, Mapping), "step()", f"info {shown(info)}", "a dict")

    def _check_reward(self, reward: Any) -> None:
        vector = np.ndim(reward) > 0 and np.size(reward) != 1
        number = isinstance(reward, Real) or (isinstance(reward, (np.ndarray, np.generic)) and reward.size == 1)
        expected = f"one number{f'; {SCALARISE}' if vector else ''}"
        self._require(number, "step()", f"the reward {shown(reward)}", expected)

    def _check_observation(self, call: str, obs: Any) -> None:
        space = self.observation_space
        if space.contains(obs):
            return
        what, beyond = outside(space, obs)
        if not beyond:
            self._require(not what, call, f"the observation{what}", f"one of its space {short(str(space))}")
        elif not self._warned:
            self._warned = True
            warnings.warn(f"environment {self.name!r}: {call} returned the observation{what}", stacklevel=2)

    def _require(self, fits: Any, call: str, got: str, expected: str) -> None:
        if not fits:
            raise EnvironmentFault(f"environment {self.name!r}: {call} returned {got}; expected {expected}")

    def _raised(self, call: str, error: Exception, returns: str) -> EnvironmentFault:
        hint = f"; it must return {returns}" if "values to unpack" in str(error) else ""
        return EnvironmentFault(f"environment {self.name!r}: {call} raised {plugins.said(error)}{hint}")


def outside(space: gym.Space, obs: Any) -> tuple[str, bool]:
    """Why ``obs`` is not in ``space``, in words, and whether it is only a number beyond its bounds; no words if it will do.

    A Box is lenient about the precision of numbers, and takes lists for arrays.
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
        what, beyond = ("", False) if part.contains(one) else outside(part, one)
        if what:
            return name + what, beyond
    return "", False


def _outside_box(space: gym.spaces.Box, obs: Any) -> tuple[str, bool]:
    try:
        array = np.asarray(obs, dtype=np.float64)
    except (TypeError, ValueError):
        return f" {shown(obs)}", False
    if array.shape != space.shape:
        return f" of the shape {array.shape}", False
    wrong = np.argwhere((array < space.low) | (array > space.high))
    if not len(wrong):
        return "", False  # precision alone, or what is not a number, which is looked for in every step
    i = tuple(wrong[0].tolist())
    return f" with {array[i]:g} in {list(i)}, beyond its bounds {space.low[i]:g} and {space.high[i]:g}", True
