"""Which grids cover the parts of an observation: one over parts jointly if it is not too large, else each and pairs."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import mul

import numpy as np
from gymnasium import spaces

from rstdp_agents.base import validate
from rstdp_agents.codecs.bounds import is_picture
from rstdp_agents.codecs.encoders.counted import EXACT
from rstdp_agents.codecs.encoders.dimensions import Dimension
from rstdp_agents.codecs.encoders.grids import SHARP, Axis, Grid
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.row_layout import Leaf, Within

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
    n = countable(leaf.space, leaf.path)
    require_exact(leaf)
    return Axis(leaf.first, float(leaf.space.start) + np.arange(n), SHARP)


def require_exact(leaf: Leaf) -> None:
    """Raise ValueError where a row of numbers does not tell all values of a leaf apart that is a Discrete."""
    if isinstance(leaf.space, spaces.Discrete):
        start = int(leaf.space.start)
        if max(abs(start), abs(start + int(leaf.space.n))) > EXACT:
            raise ValueError(
                f"{leaf.path} has values beyond {EXACT}, which only observations that are arrays tell apart; "
                f"received {leaf.space}"
            )


def countable(space: spaces.Discrete, path: str) -> int:
    """Values of a Discrete. Raises ValueError where each of them getting a neuron would be too many."""
    validate.require(
        bool(space.n <= LARGEST), f"{path} has {space.n} values, each of which needs a neuron; the most is {LARGEST}"
    )
    return int(space.n)
