"""What an environment does not declare, seen in an env made for that: masks in `info`, and whole numbers that are none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.codecs.observation_layout import MASK
from rstdp_agents.environments.masks import flat

logger = logging.getLogger(__name__)


class FirstLook(NamedTuple):
    """What a reset and a step have shown."""

    mask: int = 0
    """Entries of the action masks in `info`, 0 where there are none."""
    space: gym.Space | None = None
    """Of observations as they come, where that differs from what is declared; else None."""


def first_look(make: Callable[[], gym.Env], name: str) -> FirstLook:
    """Reset and step an env made for this, and close it. Whatever is wrong with it will be said when it is used.

    name: of the environment, for what there is to say.
    """
    try:
        env = make()
    except (Exception, SystemExit):
        return FirstLook()
    looks: list[tuple[Any, Any]] = []
    try:
        looks.append(env.reset(seed=0))
        env.action_space.seed(0)
        obs, *_, info = env.step(env.action_space.sample())
        looks.append((obs, info))
    except (Exception, SystemExit):
        logger.debug("a first look at %r has failed", name)
    finally:
        _close(env)
    return FirstLook(_mask(env, [info for _, info in looks]), _space(env, [obs for obs, _ in looks], name))


def _close(env: gym.Env) -> None:
    try:
        env.close()
    except Exception:  # the next one will say so
        logger.debug("close() has failed after a first look")


def _mask(env: gym.Env, infos: list[Any]) -> int:
    if isinstance(env.action_space, spaces.Box) or MASK in getattr(env.observation_space, "spaces", ()):
        return 0
    return max((flat(info[MASK]).size for info in infos if isinstance(info, dict) and MASK in info), default=0)


def _space(env: gym.Env, observations: list[Any], name: str) -> gym.Space | None:
    space = env.observation_space
    for obs in observations:
        space = as_seen(space, obs)
    if space is env.observation_space:
        return None
    told = {
        str(declared.dtype): str(seen.dtype) for declared, seen in zip(_boxes(env.observation_space), _boxes(space))
    }
    pairs = ", ".join(f"{seen} for {declared}" for declared, seen in told.items() if seen != declared)
    logger.warning(
        "environment %r declares whole numbers and returns others (%s): they are taken as they come", name, pairs
    )
    return space


def as_seen(space: gym.Space, obs: Any) -> gym.Space:
    """``space`` with Boxes of floats where it has Boxes of whole numbers and ``obs`` holds others; itself where all is well."""
    if isinstance(space, spaces.Box):
        kind = getattr(obs, "dtype", None)
        if not np.issubdtype(space.dtype, np.integer) or kind is None or not np.issubdtype(kind, np.floating):
            return space
        return spaces.Box(space.low.astype(kind), space.high.astype(kind), space.shape, kind)
    if not isinstance(space, spaces.Dict | spaces.Tuple) or not isinstance(obs, dict | tuple):
        return space
    declared: dict[Any, gym.Space] = dict(space.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces))
    try:
        parts = {key: as_seen(part, obs[key]) for key, part in declared.items()}
    except (LookupError, TypeError):  # not of its space, which will be said
        return space
    if all(parts[key] is part for key, part in declared.items()):
        return space
    return spaces.Dict(parts) if isinstance(space, spaces.Dict) else spaces.Tuple(parts.values())


def _boxes(space: gym.Space) -> Iterator[spaces.Box]:
    if isinstance(space, spaces.Box):
        yield space
    elif isinstance(space, spaces.Dict | spaces.Tuple):
        for part in space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces:
            yield from _boxes(part)


class AsSeen(gym.Wrapper):
    """An env whose observations are of another space than it declares."""

    def __init__(self, env: gym.Env, space: gym.Space) -> None:
        super().__init__(env)
        self.observation_space = space
