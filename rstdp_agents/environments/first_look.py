"""What an environment does not declare, found in a throwaway env: masks in `info`, and integers that are not integers."""

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
    """Entries of the action masks in `info`, 0 if there are none."""
    space: gym.Space | None = None
    """Space of the actual observations if it differs from the declared one; else None."""


def first_look(make: Callable[[], gym.Env], name: str) -> FirstLook:
    """Make an env, reset and step it, and close it. Anything wrong with it is reported when it is used.

    name: the environment's name, for messages.
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
        logger.debug("the first look at %r failed", name)
    finally:
        _close(env)
    return FirstLook(_mask(env, [info for _, info in looks]), _space(env, [obs for obs, _ in looks], name))


def _close(env: gym.Env) -> None:
    try:
        env.close()
    except Exception:  # the next one will report it
        logger.debug("close() failed after the first look")


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
    types = {
        str(declared.dtype): str(seen.dtype) for declared, seen in zip(_boxes(env.observation_space), _boxes(space))
    }
    pairs = ", ".join(f"{seen} for {declared}" for declared, seen in types.items() if seen != declared)
    logger.warning(
        "environment %r declares integers and returns other numbers (%s): they are used as they are", name, pairs
    )
    return space


def as_seen(space: gym.Space, obs: Any) -> gym.Space:
    """``space`` with Boxes of floats where it has Boxes of integers but ``obs`` holds floats; ``space`` itself if all is well."""
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
    except (LookupError, TypeError):  # not in its space, which will be reported
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
    """An env whose observations come from another space than it declares."""

    def __init__(self, env: gym.Env, space: gym.Space) -> None:
        super().__init__(env)
        self.observation_space = space
