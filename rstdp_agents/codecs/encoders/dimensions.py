"""The numbers of an observation that an encoder covers, with their bounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.base import validate
from rstdp_agents.codecs.bounds import has_bounds, numeric, own_bounds
from rstdp_agents.codecs.encoders.ntuples import Entry
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.row_layout import Leaf, Within


class Dimension(NamedTuple):
    """One number of a Box observation."""

    column: int
    low: float
    high: float
    width: float
    """Of a place field, in grid spacings."""
    within: Within | None


def dimensions(rows: Rows, p: EncoderConfig) -> list[Dimension]:
    """Every number of the Boxes that are not pictures and vary, with bounds from the configuration or the space."""
    boxes = numeric(rows)
    columns = [column for leaf in boxes for column in range(leaf.first, leaf.first + leaf.size)]
    conditions = [leaf.within for leaf in boxes for _ in range(leaf.size)]
    own_low, own_high = own_bounds(boxes)
    low, high = _bounds("low", p.low, own_low, boxes), _bounds("high", p.high, own_high, boxes)
    widths = np.asarray(p.width)
    validate.require(
        widths.size in (1, low.size),
        f"`encoder.width` must be one number or {low.size}, one for each number of the Boxes; received {p.width}",
    )
    each = (values.tolist() for values in (low, high, np.broadcast_to(widths, low.shape)))
    every = zip(columns, *each, conditions, strict=True)
    return [Dimension(*dim) for dim in every if dim[1] != dim[2]]


class Ranges(NamedTuple):
    """What is known of every number of a row; arrays ``(entries,)``."""

    columns: np.ndarray
    low: np.ndarray
    high: np.ndarray
    counted: np.ndarray
    """Whether its type is that of whole numbers."""


def every_range(rows: Rows, p: EncoderConfig) -> Ranges:
    """Of every leaf, from the configuration or the spaces. Raises ValueError if neither says where numbers lie."""
    columns, low, high, counted = every_end(rows)
    low, high = _bounds("low", p.low, low, rows.leaves), _bounds("high", p.high, high, rows.leaves)
    return Ranges(columns, low, high, counted)


def every_end(rows: Rows) -> Ranges:
    """Of every leaf, as the spaces declare it."""
    low, high = (
        np.concatenate([np.broadcast_to(_ends(leaf.space)[end], leaf.size) for leaf in rows.leaves] or [[]])
        for end in (0, 1)
    )
    columns = np.concatenate([np.arange(leaf.columns.start, leaf.columns.stop) for leaf in rows.leaves] or [[]])
    counted = [_is_counted(leaf.space.dtype) for leaf in rows.leaves for _ in range(leaf.size)]
    return Ranges(columns.astype(int), low.astype(np.float64), high.astype(np.float64), np.array(counted, bool))


def entries(rows: Rows, p: EncoderConfig) -> list[Entry]:
    """Every number of a row that varies, with its levels: its values if they are integers and at most ``p.levels``."""
    found = []
    for column, lowest, highest, counted in zip(*(values.tolist() for values in every_range(rows, p)), strict=True):
        exact = counted and highest - lowest < p.levels
        levels = round(highest - lowest) + 1 if exact else p.levels
        if lowest < highest:
            found.append(Entry(column, lowest, 1.0 if exact else (highest - lowest) / levels, levels))
    return found


def _is_counted(kind: Any) -> bool:
    return np.issubdtype(kind, np.integer) or np.issubdtype(kind, np.bool_)


def _ends(space: gym.Space) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest numbers of the columns of a leaf."""
    if isinstance(space, spaces.Box):
        return space.low.reshape(-1), space.high.reshape(-1)
    start = int(space.start) if isinstance(space, spaces.Discrete) else 0
    return np.array(start), np.array(start + (int(space.n) - 1 if isinstance(space, spaces.Discrete) else 1))


def _bounds(name: str, given: Sequence[float], own: np.ndarray, boxes: list[Leaf]) -> np.ndarray:
    bound = np.asarray(given or own, dtype=np.float64)
    what = boxes[0].path if len(boxes) == 1 else "the Box observations together"
    validate.require(
        bound.shape == own.shape, f"`encoder.{name}` must have {own.size} entries for {what}; received {bound.size}"
    )
    known = np.isfinite(bound) if given else has_bounds(own, boxes)
    if not known.all():
        of_leaf = np.repeat(np.arange(len(boxes)), [leaf.size for leaf in boxes])
        leaf = boxes[of_leaf[~known][0]]
        unbounded = np.flatnonzero(~known[of_leaf == of_leaf[~known][0]]).tolist()
        raise ValueError(f"{leaf.path} has no bounds in dimensions {unbounded}: give `encoder.{name}`")
    return bound
