"""Receptive fields of input neurons: how active each is for a value of the observation."""

from __future__ import annotations

from math import inf

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, clip, exp, like, log1p, sqrt


@equation
def place_field(x: Value, centre: Value, sigma: Value) -> Value:
    """Activity of a place cell along one dimension, a Gaussian bump.

        rate = exp(-0.5 ((x - centre) / sigma)^2)

    All in the unit of the observation. A cell of several dimensions has the product, relative to the most active cell.
    """
    return exp(-0.5 * ((x - centre) / sigma) ** 2)


@equation
def intensity(x: Value, low: Value, per_unit: Value) -> Value:
    """Activity that grows from 0 at ``low`` to 1 at ``low + 1 / per_unit``, and no further."""
    return clip((x - low) * per_unit, 0.0, 1.0)


@equation
def tile_shift(tiling: Value, dimension: Value, tilings: int) -> Value:
    """By how much of a tile a tiling is shifted along a dimension; tilings and dimensions are counted from 0.

        shift = k (2 d + 1) / tilings modulo 1

    The asymmetric shifts of Miller and Glanz (1996) that Sutton and Barto (2018), section 9.5.4, recommend.
    """
    return tiling * (2 * dimension + 1) / tilings % 1.0


@equation
def tile_place(x: Value, low: Value, per_unit: Value, tiles: Value, shift: Value) -> Value:
    """Where an observation lies along a dimension of a tiling, in tiles; the tile that is active is the whole number below.

    low: of the observation; per_unit: tiles per unit of it. Beyond the bounds it is moved onto them.
    """
    return clip((x - low) * per_unit, like(0, tiles), tiles) + shift


@equation
def compressed(x: Value) -> Value:
    """A number in units of the range that has been seen, beyond which it counts by its logarithm.

        x in [0, 1], -log(1 - x) below, 1 + log x above

    So a code has cells for any number, ever wider ones the further away, and none of them moves when the range turns out wider.
    """
    return clip(x, 0.0, 1.0) + log1p(clip(x - 1.0, 0.0, inf)) - log1p(clip(-x, 0.0, inf))


@equation
def opponent(x: Value) -> Value:
    """Activity of the ON cell of a number, or minus that of its OFF cell: it grows from the middle of the range to either end.

        2 x - 1, within -1 and 1

    x: the number in units of its range, as of `compressed`.
    """
    return clip(2.0 * x - 1.0, -1.0, 1.0)


@equation
def even_rate(power: Value, cells: Value) -> Value:
    """Rate of each of some active cells that share a power evenly.

        rate = sqrt(power / cells), at most 1

    power: the sum of their squares. cells: how many they are; at least 1 counts.
    """
    return clip(sqrt(power / clip(cells, 1.0, inf)), 0.0, 1.0)


BITS = 31
PRIME = 2**BITS - 1


@equation
def hash_step(key: Value, place: Value, factor: Value) -> Value:
    """Key of a group of whole numbers after one more of them; all of it whole.

        key <- (key + place) factor modulo 2^31 - 1

    With random factors below the prime, two different groups rarely have the same key. With the numbers of values that are left
    (a factor of 1 at the last) it is their joint index. After Carter and Wegman (1979).
    """
    key = (key + place) * factor
    key = (key & PRIME) + (key >> BITS)  # the same modulo 2^31 - 1, without a division
    return (key & PRIME) + (key >> BITS)
