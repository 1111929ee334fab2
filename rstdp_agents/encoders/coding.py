"""Which code an observation space gets: a population for each part, and one for parts together where that is not too large."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeGuard

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents import validate
from rstdp_agents.config import EncoderConfig
from rstdp_agents.encoders import Encoder, Intensity, OneHot, PlaceCells
from rstdp_agents.encoders.composite import Composite, Part
from rstdp_agents.encoders.grids import SHARP, Axis, Grid, Grids
from rstdp_agents.encoders.images import ImageEncoder
from rstdp_agents.encoders.tile_coding import TileCoding
from rstdp_agents.encoders.tuples import Entry, TupleCoding
from rstdp_agents.spaces.observations import Leaf, Rows, Within

UNBOUNDED = 1e6
"""Bounds from here on are none."""
JOINT = 8
"""Dimensions up to which one grid covers all of them together."""
TABLE = 1000
"""Cells up to which one grid over all parts of an observation is its code, and nothing is assumed of what they have in common."""
BUDGET = 4000
"""Cells that stand for pairs of parts."""
FINEST, COARSEST = 9, 3
"""Cells along a dimension of an observation that has too many of them for one grid."""
PICTURE = 64
"""Entries from which a bounded Box of more than one dimension counts as a picture, whatever its numbers are."""
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
    validate.require(
        p.code == "place-cells", f"tiles cover observations of Boxes only, all of whose numbers vary; received {space}"
    )
    return Composite(_parts(rows, dims, p))


def _parts(rows: Rows, dims: list[Dimension], p: EncoderConfig) -> list[Part]:
    """Grids over all that is no picture and no text, which have encoders of their own."""
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
    """A grid for every dimension by itself."""
    cells = p.cells or (FINEST,) * len(dims)
    fits = 0 < len(dims) == len(cells) and all(n >= 2 for n in cells)
    validate.require(
        fits,
        f"`encoder.cells` must have one entry, 2 or more, for each of {len(dims)} dimensions of Boxes; received {cells}",
    )
    return [Grid((_axis(dim, n),)) for dim, n in zip(dims, cells, strict=True)]


def plan(rows: Rows, dims: list[Dimension], p: EncoderConfig) -> list[Grid]:
    """The grids that cover all numbers and values of a row: those that are always there together, every other leaf for itself."""
    values = [leaf for leaf in rows.leaves if isinstance(leaf.space, spaces.Discrete)]
    always = [leaf for leaf in values if leaf.within is None]
    grids = combine([d for d in dims if d.within is None], always, p, BUDGET)
    conditions = {leaf.first: leaf for leaf in rows.leaves if leaf.within is not None and not is_picture(leaf.space)}
    for leaf in conditions.values():
        own = [d for d in dims if leaf.first <= d.column < leaf.first + leaf.size]
        single = [leaf] if leaf in values else []
        grids += combine(own, single, p, BUDGET // len(conditions), leaf.within)
    return grids


def combine(
    dims: list[Dimension], values: list[Leaf], p: EncoderConfig, budget: int, within: Within | None = None
) -> list[Grid]:
    """One grid over all parts together if it has no more than `TABLE` cells; else grids over each part and over pairs of parts.

    A part is a Discrete, or dimensions of Boxes: all at once up to `JOINT` of them (or where ``p.cells`` says how), else each.
    """
    joint = len(dims) <= JOINT or bool(p.cells and within is None)
    pairs = math.comb(len(values) + (1 if joint else len(dims)), 2)

    def parts(finest: int) -> list[tuple[Axis, ...]]:
        if joint:
            cells = p.cells if p.cells and within is None else default_cells(len(dims), min(300, budget))
            validate.require(
                len(cells) == len(dims),
                f"`encoder.cells` must have one entry for each of {len(dims)} dimensions; received {cells}",
            )
            boxes = [tuple(_axis(d, n) for d, n in zip(dims, cells, strict=True))] if dims else []
        else:
            boxes = [(_axis(d, max(COARSEST, min(FINEST, finest))),) for d in dims]
        return boxes + [(_values(leaf),) for leaf in values]

    single = [Grid(part, within) for part in parts(budget // max(1, len(dims)))]
    together = Grid(tuple(axis for grid in single for axis in grid.axes), within)
    if len(single) < 2 or together.size <= TABLE:
        return [together] if single else []
    return single + neighbours(parts(math.isqrt(budget // max(1, pairs))), budget, within)


def neighbours(parts: list[tuple[Axis, ...]], budget: int, within: Within | None) -> list[Grid]:
    """Grids over pairs of parts, the closest in the observation first, as many as fit into ``budget`` cells."""
    grids: list[Grid] = []
    n = len(parts)
    for distance in range(1, n // 2 + 1):
        for i in range(n if 2 * distance < n else n // 2):
            grid = Grid(parts[i] + parts[(i + distance) % n], within)
            if grid.size <= budget:
                grids.append(grid)
                budget -= grid.size
    return grids


def dimensions(rows: Rows, p: EncoderConfig) -> list[Dimension]:
    """Every number of the Boxes that are no pictures and do vary, with the bounds that the configuration or the space gives."""
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


def numeric(rows: Rows) -> list[Leaf]:
    """The Boxes of an observation that are no pictures."""
    return [leaf for leaf in rows.leaves if isinstance(leaf.space, spaces.Box) and not is_picture(leaf.space)]


def own_bounds(boxes: list[Leaf]) -> tuple[np.ndarray, np.ndarray]:
    """``low`` and ``high`` of some Boxes, one after the other, as their spaces have them."""
    low, high = (
        np.concatenate([getattr(leaf.space, end).reshape(-1) for leaf in boxes] or [[]]) for end in ("low", "high")
    )
    return low, high


def entries(rows: Rows, p: EncoderConfig) -> list[Entry]:
    """Every number of a row that varies, with its levels: its values if they are whole and no more than ``p.levels``."""
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


def is_picture(space: gym.Space) -> TypeGuard[spaces.Box]:
    """Whether a space is an image: a bounded Box of two to four dimensions that is of bytes, or not small."""
    return (
        isinstance(space, spaces.Box)
        and len(space.shape) in (2, 3, 4)
        and (space.dtype == np.uint8 or math.prod(space.shape) >= PICTURE)
        and space.is_bounded()
        and bool((space.low < space.high).all())
    )


def default_cells(dims: int, budget: int = 300) -> tuple[int, ...]:
    """Cells per dimension, equal in all, for a grid of about ``budget`` cells."""
    per_dim = max(2, round(budget ** (1 / max(1, dims))))
    validate.require(
        per_dim**dims <= 10_000,
        f"a grid over {dims} dimensions needs {per_dim**dims} cells; give `encoder.cells`",
    )
    return (per_dim,) * dims


def _axis(dim: Dimension, cells: int) -> Axis:
    points = np.linspace(dim.low, dim.high, cells)
    return Axis(dim.column, points, dim.width * (points[1] - points[0]))


def _values(leaf: Leaf) -> Axis:
    assert isinstance(leaf.space, spaces.Discrete)
    n = _countable(leaf.space, leaf.path)
    return Axis(leaf.first, float(leaf.space.start) + np.arange(n), SHARP)


def _countable(space: spaces.Discrete, path: str) -> int:
    validate.require(
        bool(space.n <= LARGEST), f"{path} has {space.n} values, and each would get a neuron; {LARGEST} are the most"
    )
    return int(space.n)


def _bounds(name: str, given: Sequence[float], own: np.ndarray, boxes: list[Leaf]) -> np.ndarray:
    bound = np.asarray(given or own, dtype=np.float64)
    what = boxes[0].path if len(boxes) == 1 else "the Box observations together"
    validate.require(
        bound.shape == own.shape, f"`encoder.{name}` must have {own.size} entries for {what}; received {bound.size}"
    )
    first = 0
    for leaf in boxes:
        unbounded = [i for i in range(leaf.size) if not abs(float(bound[first + i])) < UNBOUNDED]
        validate.require(not unbounded, f"{leaf.path} has no bounds in dimensions {unbounded}: give `encoder.{name}`")
        first += leaf.size
    return bound
