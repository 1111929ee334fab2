"""Observations of any space as rows of numbers, and the meaning of each number in a row.

A Box, Discrete, MultiDiscrete or MultiBinary observation is already an array and stays as it is. Anything else (Dict, Tuple,
Text, OneOf, Sequence, Graph, nested to any depth) is written into one row of float64, leaf after leaf.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable
from functools import cache, cached_property, lru_cache
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import iterate

from rstdp_agents.base.errors import EnvironmentFault

logger = logging.getLogger(__name__)

SLOTS = 8
"""Elements of a Sequence, or nodes of a Graph, that are encoded; further ones are ignored."""
HASHED = 128
"""Numbers of a row that stand for a text."""
HASHES = 2
"""How many of these each word sets."""
MASK = "action_mask"
"""The entry of a Dict that says which actions are allowed, as in Gymnasium's ``info``."""
EXACT = 2**53
"""Largest integer up to which float64 is exact."""
ARRAYS = spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary

Write = Callable[[Any, np.ndarray], None]
"""Writes a value into its columns of a row."""


class Within(NamedTuple):
    """Condition for a leaf to be present: ``lowest <= row[column] <= highest``."""

    column: int
    lowest: int
    highest: int


class Leaf(NamedTuple):
    """Consecutive columns of a row that belong together."""

    path: str
    """In Python's notation: ``observation["camera"][0]``."""
    space: gym.Space
    """A Box or a Discrete; MultiBinary for the hashes of a text."""
    first: int
    """First column."""
    size: int
    """Number of columns."""
    within: Within | None = None
    """None for a leaf that is always present."""

    @property
    def columns(self) -> slice:
        """Its columns in the row."""
        return slice(self.first, self.first + self.size)


class Rows:
    """The layout of a space's rows. Of subspaces without a code, text is hashed and the rest skipped, with one warning each.

    name: start of the paths.
    """

    def __init__(self, space: gym.Space, name: str = "observation") -> None:
        self.leaves: list[Leaf] = []
        self.size = 0
        self._blank: list[float] = []
        self.is_array = isinstance(space, ARRAYS)
        """Whether observations are arrays, which are used as they are."""
        self._shape = space.shape or ()
        self.dtype = space.dtype
        """Type of observations that are arrays."""
        self._write = self._writer(space, name, None)
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

    def _leaf(self, path: str, space: gym.Space, size: int, blank: list[float], within: Within | None) -> slice:
        leaf = Leaf(path, space, self.size, size, within)
        self.leaves.append(leaf)
        self.size += size
        self._blank += blank
        return leaf.columns

    def _writer(self, space: gym.Space, path: str, within: Within | None) -> Write:
        """Lay out a space, and return a function that writes its values."""
        if isinstance(space, spaces.Box):
            return self._box(space, path, within)
        if isinstance(space, spaces.Discrete):
            return self._number(space, path, within)
        if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
            return self._numbers(space, path, within)
        if isinstance(space, spaces.Dict):
            return self._parts([(key, sub, f'{path}["{key}"]') for key, sub in space.items()], within)
        if isinstance(space, spaces.Tuple):
            return self._parts([(i, sub, f"{path}[{i}]") for i, sub in enumerate(space)], within)
        if isinstance(space, spaces.OneOf):
            return self._one_of(space, path, within)
        if isinstance(space, spaces.Sequence):
            return self._sequence(space, path, within)
        if isinstance(space, spaces.Graph):
            return self._graph(space, path, within)
        if not isinstance(space, spaces.Text):
            _warn(f"{path} is of a space without a code, {type(space).__name__}: text is hashed, anything else skipped")
        return self._text(path, within)

    def _box(self, space: spaces.Box, path: str, within: Within | None) -> Write:
        blank = np.minimum(np.maximum(0.0, space.low), space.high).astype(np.float64).reshape(-1)
        columns, size = self._leaf(path, space, blank.size, blank.tolist(), within), blank.size

        def write(value: Any, row: np.ndarray) -> None:
            row[columns] = np.reshape(value, size)

        return write

    def _number(self, space: spaces.Discrete, path: str, within: Within | None) -> Write:
        columns = self._leaf(path, space, 1, [-1], within)

        def write(value: Any, row: np.ndarray) -> None:
            row[columns] = value

        return write

    def _numbers(self, space: spaces.MultiDiscrete | spaces.MultiBinary, path: str, within: Within | None) -> Write:
        many = isinstance(space, spaces.MultiDiscrete)
        first = self.size
        each = zip(space.nvec.flat, space.start.flat, strict=True) if many else [(2, 0)] * math.prod(space.shape)
        one = cache(lambda n, start: spaces.Discrete(int(n), start=int(start)))
        for at, values in zip(np.ndindex(space.shape), each, strict=True):
            self._leaf(f"{path}[{', '.join(map(str, at))}]", one(*values), 1, [-1], within)
        columns, size = slice(first, self.size), self.size - first

        def write(value: Any, row: np.ndarray) -> None:
            row[columns] = np.reshape(value, size)

        return write

    def _parts(self, parts: list[tuple[Any, gym.Space, str]], within: Within | None) -> Write:
        writers = [(key, self._writer(space, path, within)) for key, space, path in parts]

        def write(value: Any, row: np.ndarray) -> None:
            for key, one in writers:
                one(value[key], row)

        return write

    def _one_of(self, space: spaces.OneOf, path: str, within: Within | None) -> Write:
        which = self.size
        self._leaf(f"{path}[0]", spaces.Discrete(len(space.spaces)), 1, [-1], within)
        writers = [
            self._writer(sub, f"{path}[1] of subspace {i}", Within(which, i, i)) for i, sub in enumerate(space.spaces)
        ]

        def write(value: Any, row: np.ndarray) -> None:
            row[which] = value[0]
            writers[int(value[0])](value[1], row)

        return write

    def _sequence(self, space: spaces.Sequence, path: str, within: Within | None) -> Write:
        elements = self._slots(space.feature_space, path, within)

        def write(value: Any, row: np.ndarray) -> None:
            elements(list(iterate(space.stacked_feature_space, value)) if space.stack else value, row)

        return write

    def _slots(self, space: gym.Space, path: str, within: Within | None) -> Write:
        """Up to `SLOTS` values of a space, and their number."""
        count = self.size
        self._leaf(f"length of {path}", spaces.Discrete(SLOTS + 1), 1, [-1], within)
        writers = [self._writer(space, f"{path}[{i}]", Within(count, i + 1, SLOTS)) for i in range(SLOTS)]

        def write(value: Any, row: np.ndarray) -> None:
            row[count] = min(len(value), SLOTS)
            for one, element in zip(writers, value, strict=False):
                one(element, row)

        return write

    def _graph(self, space: spaces.Graph, path: str, within: Within | None) -> Write:
        """Nodes as a Sequence, and for every pair of nodes whether an edge connects them, with its features."""
        nodes = self._slots(space.node_space, f"{path}.nodes", within)
        edges: dict[tuple[int, int], tuple[int, Write | None]] = {}
        for a, b in np.ndindex(SLOTS, SLOTS):
            column, name = self.size, f"{path}.edges from {a} to {b}"
            self._leaf(f"{path}.edge_links from {a} to {b}", spaces.Discrete(2), 1, [-1], within)
            there = Within(column, 1, 1)
            edges[a, b] = column, None if space.edge_space is None else self._writer(space.edge_space, name, there)
        links = [column for column, _ in edges.values()]

        def write(value: Any, row: np.ndarray) -> None:
            nodes(list(value.nodes), row)
            row[links] = 0
            for i, (a, b) in enumerate(
                () if value.edge_links is None else np.reshape(value.edge_links, (-1, 2)).tolist()
            ):
                column, features = edges.get((a, b), (None, None))
                if column is None:
                    continue
                row[column] = 1
                if features is not None and value.edges is not None:
                    features(value.edges[i], row)

        return write

    def _text(self, path: str, within: Within | None) -> Write:
        columns = self._leaf(path, spaces.MultiBinary(HASHED), HASHED, [0.0] * HASHED, within)

        def write(value: Any, row: np.ndarray) -> None:
            if isinstance(value, str):
                row[columns] = hashed(value)

        return write


def _is_whole(leaf: Leaf) -> bool:
    return isinstance(leaf.space, spaces.Discrete)


def _least_and_most(leaf: Leaf) -> tuple[int, int]:
    """The range of values of a Discrete leaf, including -1 if it may be absent."""
    assert isinstance(leaf.space, spaces.Discrete)
    least, most = int(leaf.space.start), int(leaf.space.start + leaf.space.n) - 1
    return (least, most) if leaf.within is None else (min(least, -1), max(most, -1))


@cache
def _warn(message: str) -> None:
    """Warn once per process: grids, agents and evaluations lay out the same space repeatedly."""
    logger.warning(message)


@lru_cache(1000)
def hashed(text: str) -> np.ndarray:
    """``(HASHED,)`` of 0 and 1: each word of a text, and the text itself, sets `HASHES` of them, the same ones in every run."""
    out = np.zeros(HASHED)
    for word in {text, *text.split()}:
        digest = hashlib.blake2b(word.encode(), digest_size=HASHES).digest()
        out[[byte % HASHED for byte in digest]] = 1.0
    return out
