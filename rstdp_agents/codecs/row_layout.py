"""Rows of numbers for the values of any space, laid out leaf after leaf, and how each value is written into its columns."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import iterate

from rstdp_agents.base.once import warn_once

logger = logging.getLogger(__name__)

SLOTS = 8
"""Elements of a Sequence, or nodes of a Graph, that are encoded; further ones are ignored."""
HASHED = 128
"""Numbers of a row that stand for a text."""
HASHES = 2
"""How many of these each word sets."""

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


class RowLayout:
    """Leaves and columns of a row, which grow with every space that `writer` lays out."""

    def __init__(self) -> None:
        self.leaves: list[Leaf] = []
        self.size = 0
        self.blank: list[float] = []
        """A row without values: -1 for a Discrete that is absent, else 0 or the bound next to it."""

    def _leaf(self, path: str, space: gym.Space, size: int, blank: list[float], within: Within | None) -> slice:
        leaf = Leaf(path, space, self.size, size, within)
        self.leaves.append(leaf)
        self.size += size
        self.blank += blank
        return leaf.columns

    def writer(self, space: gym.Space, path: str, within: Within | None) -> Write:
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
            warn_once(
                logger,
                f"{path} is of a space without a code, {type(space).__name__}: text is hashed, anything else skipped",
            )
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
        writers = [(key, self.writer(space, path, within)) for key, space, path in parts]

        def write(value: Any, row: np.ndarray) -> None:
            for key, one in writers:
                one(value[key], row)

        return write

    def _one_of(self, space: spaces.OneOf, path: str, within: Within | None) -> Write:
        which = self.size
        self._leaf(f"{path}[0]", spaces.Discrete(len(space.spaces)), 1, [-1], within)
        writers = [
            self.writer(sub, f"{path}[1] of subspace {i}", Within(which, i, i)) for i, sub in enumerate(space.spaces)
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
        writers = [self.writer(space, f"{path}[{i}]", Within(count, i + 1, SLOTS)) for i in range(SLOTS)]

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
            edges[a, b] = column, None if space.edge_space is None else self.writer(space.edge_space, name, there)
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


@lru_cache(1000)
def hashed(text: str) -> np.ndarray:
    """``(HASHED,)`` of 0 and 1: each word of a text, and the text itself, sets `HASHES` of them, the same ones in every run."""
    out = np.zeros(HASHED)
    for word in {text, *text.split()}:
        digest = hashlib.blake2b(word.encode(), digest_size=HASHES).digest()
        out[[byte % HASHED for byte in digest]] = 1.0
    return out
