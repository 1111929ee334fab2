"""Environments that can be brought back to where they were, in the middle of an episode.

Gymnasium has no way to save an environment. What it has is one random generator per environment, seeded by the first reset: an
episode is repeated by putting that generator where it stood and taking the same actions again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import VectorEnv

from rstdp_agents.plain import digest, from_plain, to_plain

NOTE_EVERY = 64
"""Steps after which a reset notes its random generator anew; until then shorter episodes are repeated one after the other."""
MAX_STEPS = 1_000_000
"""Steps that are kept for an episode; a longer one cannot be repeated."""
SMALL = 4096
"""Numbers of the largest array that is kept as an attribute of an environment."""


class Replayable(gym.Wrapper):
    """Notes what it takes to repeat the running episode: seed, random generator, and the actions since (None for a reset).

    index: which of the snapshots is its own, where `repeat` gets those of several envs.
    """

    def __init__(self, env: gym.Env, index: int = 0) -> None:
        super().__init__(env)
        self._index = index
        self._seed: int | None = None
        self._random: dict[str, Any] | None = None
        self._actions: deque[Any] = deque(maxlen=MAX_STEPS)
        self._obs: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if seed is not None:
            self._seed, self._random = seed, None
            self._actions.clear()
        elif len(self._actions) < NOTE_EVERY:
            self._actions.append(None)
        else:
            self._random = random_state(self.env)
            self._actions.clear()
        self._obs, info = self.env.reset(seed=seed, options=options)
        return self._obs, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        result = self.env.step(action)
        self._actions.append(action)
        self._obs = result[0]
        return result

    def snapshot(self) -> dict[str, Any]:
        """Where the env stands, as JSON holds it. Raises ValueError or TypeError saying what cannot be kept."""
        if len(self._actions) == MAX_STEPS:
            raise ValueError(f"an episode of more than {MAX_STEPS} steps is not repeated")
        return {
            "seed": self._seed,
            "random": to_plain(self._random),
            "actions": to_plain(list(self._actions)),
            "obs": digest(self._obs),
            "after": to_plain(random_state(self.env)),
            "attributes": [attributes(layer) for layer in layers(self.env)],
        }

    def repeat(self, snapshots: list[dict[str, Any]]) -> str:
        """Bring a fresh env where its snapshot was taken; returns why that failed, in words, or nothing."""
        try:
            return self._repeat(snapshots[self._index])
        except Exception as error:  # whatever an env may raise
            return f"{type(error).__name__}: {error}"

    def _repeat(self, snapshot: dict[str, Any]) -> str:
        self.reset(seed=snapshot["seed"])
        if snapshot["random"] is not None:
            self._random = state = from_plain(snapshot["random"])
            self.env.unwrapped.np_random.bit_generator.state = state
            self._obs, _ = self.env.reset()
        for action in from_plain(snapshot["actions"]):
            self.reset() if action is None else self.step(action)
        if digest(self._obs) != snapshot["obs"] or to_plain(random_state(self.env)) != snapshot["after"]:
            return "the same actions from the same seed led elsewhere"
        for layer, saved in zip(layers(self.env), snapshot["attributes"], strict=True):
            set_attributes(layer, saved)
        return ""


def layers(env: gym.Env) -> Iterator[gym.Env]:
    """The env and all that it wraps, from the outside."""
    yield env
    while isinstance(env, gym.Wrapper):
        env = env.env
        yield env


def random_state(env: Any) -> dict[str, Any]:
    """Where the random generator of an env stands."""
    return env.unwrapped.np_random.bit_generator.state


def attributes(layer: Any) -> dict[str, Any]:
    """Numbers, texts and small arrays among an object's attributes, as JSON holds them."""
    kept = (bool, int, float, str, np.generic, np.ndarray)
    return {
        name: to_plain(value)
        for name, value in vars(layer).items()
        if value is None or (isinstance(value, kept) and np.size(value) <= SMALL and np.asarray(value).dtype != object)
    }


def set_attributes(layer: Any, saved: dict[str, Any]) -> None:
    """Give those attributes that differ from ``saved`` its values: what an env carries over from episode to episode."""
    now = attributes(layer)
    vars(layer).update({name: from_plain(plain) for name, plain in saved.items() if now.get(name, ...) != plain})


def vector_snapshot(env: VectorEnv) -> dict[str, Any]:
    """All attributes of an own vector implementation, which nothing repeats. Raises TypeError for one that JSON cannot hold."""
    changing = {name: value for name, value in vars(env).items() if not isinstance(value, gym.Space | EnvSpec)}
    generator = changing.pop("_np_random", None)
    state = generator.bit_generator.state if isinstance(generator, np.random.Generator) else None
    try:
        return {"random": to_plain(state), "attributes": {name: to_plain(value) for name, value in changing.items()}}
    except TypeError as error:
        raise TypeError(f"{type(env).__name__} has an attribute that is not kept: {error}") from error


def set_vector_snapshot(env: VectorEnv, snapshot: dict[str, Any]) -> tuple[str, ...]:
    """Bring a fresh vector env where `vector_snapshot` found another; returns why that failed, which it does not."""
    env.reset(seed=0)
    if snapshot["random"] is not None:
        env.np_random.bit_generator.state = from_plain(snapshot["random"])
    vars(env).update({name: from_plain(plain) for name, plain in snapshot["attributes"].items()})
    return ()


def snapshots(take: Callable[[], Any]) -> dict[str, Any]:
    """What ``take`` returns, or why it could not."""
    try:
        return {"envs": take()}
    except (TypeError, ValueError, AttributeError) as error:
        return {"lost": str(error)}


def first_failure(reasons: Iterable[str]) -> str:
    """The first that says something."""
    return next(filter(None, reasons), "")
