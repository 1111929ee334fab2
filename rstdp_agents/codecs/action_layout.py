"""Actions of any space: rows of numbers, as decoders choose them, and the values that environments take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import concatenate, create_empty_array

from rstdp_agents.codecs.observation_layout import ARRAYS

Read = Callable[[np.ndarray], Any]
"""Reads a value from a row."""


class Actions:
    """Turns actions ``(agents, envs, ...)`` into values for environments, which their space contains.

    Actions of a Discrete are ``(agents, envs)``, of a Box ``(agents, envs, *shape)``, of any other space rows
    ``(agents, envs, numbers)``, part after part. Raises ValueError naming a part that no decoder chooses.
    """

    def __init__(self, space: gym.Space) -> None:
        self.space = space
        self._read, _ = _reader(space, 0, "action")
        self._is_discrete = isinstance(space, spaces.Discrete)
        self._convert = _converter(space) if isinstance(space, ARRAYS) else None

    def each(self, actions: np.ndarray) -> list[Any]:
        """One action for every env, agent after agent."""
        if self._is_discrete:
            return list(actions.ravel().astype(self.space.dtype, copy=False))
        rows = actions.reshape(actions.shape[0] * actions.shape[1], -1)
        if self._convert:
            return [np.asarray(action) for action in self._convert(rows)]  # a scalar becomes an array too
        return [self._read(row) for row in rows]

    def batches(self, actions: np.ndarray, parts: int) -> list[Any]:
        """Equal shares for ``parts`` vector environments, in their format."""
        rows = actions.reshape(parts, actions.shape[0] * actions.shape[1] // parts, -1)
        if self._convert:
            return [self._convert(share) for share in rows]
        each = [[self._read(row) for row in share] for share in rows]
        return [concatenate(self.space, share, create_empty_array(self.space, len(share))) for share in each]


def _reader(space: gym.Space, first: int, path: str) -> tuple[Read, int]:
    """A reader of values of ``space`` starting at column ``first``, and the next column."""
    if isinstance(space, spaces.Discrete):
        return lambda row: space.dtype.type(row[first]), first + 1
    if isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary):
        columns, convert = slice(first, first + int(np.prod(space.shape))), _converter(space)
        return (lambda row: np.asarray(convert(row[None, columns])[0])), columns.stop
    if isinstance(space, spaces.Dict):
        named, after = _readers([(key, sub, f'{path}["{key}"]') for key, sub in space.items()], first)
        return (lambda row: {key: read(row) for key, read in named}), after
    if isinstance(space, spaces.Tuple):
        several, after = _readers([(i, sub, f"{path}[{i}]") for i, sub in enumerate(space)], first)
        return (lambda row: tuple(read(row) for _, read in several)), after
    raise ValueError(
        f"{path} is of a space that no decoder chooses from, {type(space).__name__}; there are decoders for Discrete, Box, "
        "MultiDiscrete, MultiBinary, and Dict and Tuple of them"
    )


def _readers(parts: list[tuple[Any, gym.Space, str]], first: int) -> tuple[list[tuple[Any, Read]], int]:
    readers = []
    for key, space, path in parts:
        read, first = _reader(space, first, path)
        readers.append((key, read))
    return readers, first


def _converter(space: spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary) -> Read:
    """From rows ``(n, numbers)`` to ``(n, *shape)`` in the type of the space, rounded to the nearest integers if it has some."""
    dtype, shape, whole = space.dtype, space.shape or (), np.issubdtype(space.dtype, np.integer)
    bounds = (space.low, space.high) if isinstance(space, spaces.Box) else None

    def convert(rows: np.ndarray) -> np.ndarray:
        rounded = np.rint(rows) if whole and rows.dtype.kind not in "iu" else rows
        values = rounded.astype(dtype).reshape(-1, *shape)
        if bounds:  # rounding may have moved them slightly beyond
            np.maximum(values, bounds[0], out=values)
            np.minimum(values, bounds[1], out=values)
        return values

    return convert
