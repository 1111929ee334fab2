"""Choice of a code for an observation space: a population for each part, and one for parts jointly if it is not too large."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import mul
from typing import NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.base import validate
from rstdp_agents.codecs.bounds import has_bounds, is_picture, numeric, own_bounds
from rstdp_agents.codecs.encoders import Encoder, Intensity, OneHot, PlaceCells
from rstdp_agents.codecs.encoders.composite import Composite, Part
from rstdp_agents.codecs.encoders.counted import EXACT, Counted, counted_from, far_off
from rstdp_agents.codecs.encoders.grids import SHARP, Axis, Grid, Grids
from rstdp_agents.codecs.encoders.images import ImageEncoder
from rstdp_agents.codecs.encoders.ntuples import Entry, TupleCoding
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.encoders.tile_coding import TileCoding
from rstdp_agents.codecs.observation_layout import Leaf, Rows, Within

JOINT = 8
"""Most dimensions that one grid covers jointly."""
TABLE = 1000
"""Most cells of one grid over all parts of an observation, which assumes nothing about their relation."""
BUDGET = 4000
"""Most cells for pairs of parts."""
FINEST, COARSEST = 9, 3
"""Cells along a dimension of an observation with too many dimensions for one grid."""
LARGEST = 100_000
"""Most values of a Discrete, each of which gets a neuron."""


class Dimension(NamedTuple):
    """One number of a Box observation."""

    column: int
    low: float
    high: float
    width: float
    """Of a place field, in grid spacings."""
    within: Within | None


def build_encoder(space: gym.Space, p: EncoderConfig) -> Encoder:
    """The encoder for an observation space. Raises ValueError naming the part that cannot be encoded."""
    first = far_off(space, p)
    return encoder_of(space, p) if first is None else Counted(encoder_of(*counted_from(first, space, p)), first)


def encoder_of(space: gym.Space, p: EncoderConfig) -> Encoder:
    """As `build_encoder`, for numbers that double precision can tell apart."""
    if p.code == "tuples":
        rows = Rows(space)
        tuples = TupleCoding(entries(rows, p), p.tuples, p.tuple_cells)
        return Composite([Part(slice(None), (rows.size,), tuples)])
    if isinstance(space, spaces.Discrete):
        return OneHot(_countable(space, "observation"), int(space.start))
    if is_picture(space):
        return picture_encoder(space, p)
    rows = Rows(space)
    dims = dimensions(rows, p)
    if p.code == "separate":
        return Composite([Part(slice(None), (rows.size,), Grids(each_alone(dims, p), p.floor))])
    everything = 0 < len(dims) == rows.size and all(d.within is None for d in dims)
    vector = not rows.is_array or len(space.shape or ()) == 1
    if everything and (p.code == "tiles" or (vector and (p.cells or len(dims) <= JOINT))):
        low, high, cells = np.array([d.low for d in dims]), np.array([d.high for d in dims]), p.cells
        cells = cells or default_cells(len(dims))
        if p.code == "tiles":
            return TileCoding(low, high, cells, p.tilings)
        return PlaceCells(low, high, cells, np.array([d.width for d in dims]), p.floor)
    if p.code != "place-cells":
        raise ValueError(f"tiles only cover observations of Boxes whose numbers all vary; received {space}")
    return Composite(_parts(rows, dims, p))


def _parts(rows: Rows, dims: list[Dimension], p: EncoderConfig) -> list[Part]:
    """Grids over everything except pictures and texts, which have their own encoders."""
    grids = plan(rows, dims, p)
    parts = []
    for leaf in rows.leaves:
        if is_picture(leaf.space):
            parts.append(Part(leaf.columns, leaf.space.shape, picture_encoder(leaf.space, p)))
        elif isinstance(leaf.space, spaces.MultiBinary):
            parts.append(Part(leaf.columns, (leaf.size,), Intensity(np.zeros(leaf.size), np.ones(leaf.size))))
    if grids or not parts:
        parts.insert(0, Part(slice(None), (rows.size,), Grids(grids or [Grid(())], p.floor)))
    return parts


def each_alone(dims: list[Dimension], p: EncoderConfig) -> list[Grid]:
    """A separate grid for every dimension."""
    cells = p.cells or (FINEST,) * len(dims)
    fits = 0 < len(dims) == len(cells) and all(n >= 2 for n in cells)
    validate.require(
        fits,
        f"`encoder.cells` must have one entry, 2 or more, for each of {len(dims)} dimensions of Boxes; received {cells}",
    )
    return [Grid((axis,)) for axis in axes_of(dims, cells)]


def plan(rows: Rows, dims: list[Dimension], p: EncoderConfig) -> list[Grid]:
    """The grids that cover all numbers and values of a row: permanent leaves jointly, every optional leaf separately."""
    values = [leaf for leaf in rows.leaves if isinstance(leaf.space, spaces.Discrete)]
    always = [leaf for leaf in values if leaf.within is None]
    grids = combine([d for d in dims if d.within is None], always, p, BUDGET)
    columns = [d.column for d in dims]
    conditions = {leaf.first: leaf for leaf in rows.leaves if leaf.within is not None and not is_picture(leaf.space)}
    for leaf in conditions.values():
        own = dims[bisect_left(columns, leaf.first) : bisect_left(columns, leaf.first + leaf.size)]
        single = [leaf] if isinstance(leaf.space, spaces.Discrete) else []
        grids += combine(own, single, p, BUDGET // len(conditions), leaf.within)
    return grids


def combine(
    dims: list[Dimension], values: list[Leaf], p: EncoderConfig, budget: int, within: Within | None = None
) -> list[Grid]:
    """One grid over all parts jointly if it has at most `TABLE` cells; else grids over each part and over pairs of parts.

    A part is a Discrete, or dimensions of Boxes: all jointly up to `JOINT` of them (or if ``p.cells`` is given), else each one.
    """
    joint = len(dims) <= JOINT or bool(p.cells and within is None)
    pairs = math.comb(len(values) + (1 if joint else len(dims)), 2)
    counted = [(_values(leaf),) for leaf in values]

    def parts(finest: int) -> list[tuple[Axis, ...]]:
        if not joint:
            return [(axis,) for axis in axes_of(dims, (max(COARSEST, min(FINEST, finest)),) * len(dims))] + counted
        cells = p.cells if p.cells and within is None else default_cells(len(dims), min(300, budget))
        validate.require(
            len(cells) == len(dims),
            f"`encoder.cells` must have one entry for each of {len(dims)} dimensions; received {cells}",
        )
        return ([tuple(axes_of(dims, cells))] if dims else []) + counted

    single = [Grid(part, within) for part in parts(budget // max(1, len(dims)))]
    if len(single) < 2 or _product_is_at_most(TABLE, (grid.size for grid in single)):
        return [Grid(tuple(axis for grid in single for axis in grid.axes), within)] if single else []
    return single + neighbours(parts(math.isqrt(budget // max(1, pairs))), budget, within)


def _product_is_at_most(most: int, sizes: Iterable[int]) -> bool:
    return all(product <= most for product in accumulate(sizes, mul))


def neighbours(parts: list[tuple[Axis, ...]], budget: int, within: Within | None) -> list[Grid]:
    """Grids over pairs of parts, the closest in the observation first, as many as fit into ``budget`` cells."""
    grids: list[Grid] = []
    n, sizes = len(parts), np.array([Grid(part).size for part in parts])
    least = int(np.prod(np.sort(sizes)[:2]))
    for distance in range(1, n // 2 + 1):
        if budget < least:
            break
        pairs = sizes * np.roll(sizes, -distance)
        for i in np.flatnonzero(pairs[: n if 2 * distance < n else n // 2] <= budget).tolist():
            if pairs[i] <= budget:
                grids.append(Grid(parts[i] + parts[(i + distance) % n], within))
                budget -= int(pairs[i])
    return grids


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


def entries(rows: Rows, p: EncoderConfig) -> list[Entry]:
    """Every number of a row that varies, with its levels: its values if they are integers and at most ``p.levels``."""
    low, high = (
        np.concatenate([np.broadcast_to(_ends(leaf.space)[end], leaf.size) for leaf in rows.leaves]) for end in (0, 1)
    )
    columns = np.concatenate([np.arange(leaf.columns.start, leaf.columns.stop) for leaf in rows.leaves])
    whole = [np.issubdtype(leaf.space.dtype, np.integer) for leaf in rows.leaves for _ in range(leaf.size)]
    low, high = _bounds("low", p.low, low, rows.leaves), _bounds("high", p.high, high, rows.leaves)
    found = []
    for column, lowest, highest, counted in zip(columns.tolist(), low.tolist(), high.tolist(), whole, strict=True):
        exact = counted and highest - lowest < p.levels
        levels = round(highest - lowest) + 1 if exact else p.levels
        if lowest < highest:
            found.append(Entry(column, lowest, 1.0 if exact else (highest - lowest) / levels, levels))
    return found


def _ends(space: gym.Space) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest numbers of the columns of a leaf."""
    if isinstance(space, spaces.Box):
        return space.low.reshape(-1), space.high.reshape(-1)
    start = int(space.start) if isinstance(space, spaces.Discrete) else 0
    return np.array(start), np.array(start + (int(space.n) - 1 if isinstance(space, spaces.Discrete) else 1))


def picture_encoder(space: spaces.Box, p: EncoderConfig) -> Encoder:
    """The encoder of a picture, alone or in a composite."""
    return ImageEncoder(space, p.image, p.levels)


def default_cells(dims: int, budget: int = 300) -> tuple[int, ...]:
    """Cells per dimension, equal in all, for a grid of about ``budget`` cells."""
    per_dim = max(2, round(budget ** (1 / max(1, dims))))
    validate.require(
        per_dim**dims <= 10_000,
        f"a grid over {dims} dimensions needs {per_dim} ** {dims} cells; give `encoder.cells`",
    )
    return (per_dim,) * dims


def axes_of(dims: list[Dimension], cells: Sequence[int]) -> list[Axis]:
    """An axis with the given number of points for each dimension; computed jointly if the numbers are equal."""
    if len(set(cells)) > 1:
        return [axis for dim, n in zip(dims, cells, strict=True) for axis in axes_of([dim], (n,))]
    low, high, width = (np.array([dim[i] for dim in dims]) for i in (1, 2, 3))
    points = np.linspace(low, high, max(cells, default=2), axis=-1)
    sigma = width * (points[..., 1] - points[..., 0])
    return [Axis(d.column, *numbers) for d, *numbers in zip(dims, points, sigma.tolist(), strict=True)]


def _values(leaf: Leaf) -> Axis:
    assert isinstance(leaf.space, spaces.Discrete)
    n, start = _countable(leaf.space, leaf.path), int(leaf.space.start)
    if max(abs(start), abs(start + n)) > EXACT:
        raise ValueError(
            f"{leaf.path} has values beyond {EXACT}, which only observations that are arrays tell apart; received {leaf.space}"
        )
    return Axis(leaf.first, float(leaf.space.start) + np.arange(n), SHARP)


def _countable(space: spaces.Discrete, path: str) -> int:
    validate.require(
        bool(space.n <= LARGEST), f"{path} has {space.n} values, each of which needs a neuron; the most is {LARGEST}"
    )
    return int(space.n)


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
