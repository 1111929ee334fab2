"""Observations of any space as rows of numbers, and the meaning of each number in a row.

A Box, Discrete, MultiDiscrete or MultiBinary observation is already an array and stays as it is. Anything else (Dict, Tuple,
Text, OneOf, Sequence, Graph, nested to any depth) is written into one row of float64, leaf after leaf.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.base.errors import EnvironmentFault
from rstdp_agents.codecs.row_layout import Leaf, RowLayout

MASK = "action_mask"
"""The entry of a Dict that says which actions are allowed, as in Gymnasium's ``info``."""
EXACT = 2**53
"""Largest integer up to which float64 is exact."""
ARRAYS = spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary


class Rows:
    """The layout of a space's rows. Of subspaces without a code, text is hashed and the rest skipped, with one warning each.

    name: start of the paths.
    """

    def __init__(self, space: gym.Space, name: str = "observation") -> None:
        layout = RowLayout()
        self.is_array = isinstance(space, ARRAYS)
        """Whether observations are arrays, which are used as they are."""
        self._shape = space.shape or ()
        self.dtype = space.dtype
        """Type of observations that are arrays."""
        self._write = layout.writer(space, name, None)
        self.leaves, self.size, self._blank = layout.leaves, layout.size, layout.blank
        self.mask: slice | None = None
        """Columns of the top-level entry `MASK`, which says which actions are allowed, and is not a leaf."""
        self.are_whole = self.is_array and not isinstance(space, spaces.Box)
        """Whether rows hold only integers."""
        masks = [leaf for leaf in self.leaves if leaf.path.startswith(f'{name}["{MASK}"]')]
        if masks:
            self.mask = slice(masks[0].first, masks[-1].columns.stop)
            self.leaves = [leaf for leaf in self.leaves if not self.mask.start <= leaf.first < self.mask.stop]
        self.whole = [(leaf.path, leaf.first, *_least_and_most(leaf)) for leaf in self.leaves if _is_whole(leaf)]
        """Path, column, lowest and highest value of every Discrete leaf."""
        beyond = any(abs(end) > EXACT for *_, least, most in self.whole for end in (least, most))
        self._row_dtype = np.int64 if beyond and len(self.whole) == self.size else np.float64

    def array(self, observations: list[Any]) -> np.ndarray:
        """``n`` observations as one array: ``(n, *shape)`` if they are arrays, else rows ``(n, size)``.

        Raises EnvironmentFault for an observation that lacks parts of its space.
        """
        if self.is_array:
            return np.array(observations, dtype=self.dtype).reshape(len(observations), *self._shape)
        try:
            return np.array([self.row(obs) for obs in observations])
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise EnvironmentFault(f"an observation is not in its space: {type(error).__name__}: {error}") from error

    @cached_property
    def whole_arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Columns, lowest and highest values of `whole`."""
        columns, least, most = (np.array([one[i] for one in self.whole], np.int64) for i in (1, 2, 3))
        return columns, least, most

    def row(self, obs: Any) -> np.ndarray:
        """One observation as a row ``(size,)``; missing parts are -1 for a Discrete, else 0 or the bound next to it."""
        row = np.array(self._blank, self._row_dtype)
        self._write(obs, row)
        return row

    def allowed(self, obs: Any) -> Any:
        """What masks in ``obs (..., size)``, array or tensor, allow: bool ``(..., actions)``; None without masks."""
        return None if self.mask is None else obs[..., self.mask] > 0

    def path(self, column: int) -> str:
        """The leaf that a column belongs to."""
        found = (leaf.path for leaf in self.leaves if leaf.columns.start <= column < leaf.columns.stop)
        return next(found, "observation")


def _is_whole(leaf: Leaf) -> bool:
    return isinstance(leaf.space, spaces.Discrete)


def _least_and_most(leaf: Leaf) -> tuple[int, int]:
    """The range of values of a Discrete leaf, including -1 if it may be absent."""
    assert isinstance(leaf.space, spaces.Discrete)
    least, most = int(leaf.space.start), int(leaf.space.start + leaf.space.n) - 1
    return (least, most) if leaf.within is None else (min(least, -1), max(most, -1))
