"""Receptive fields of input neurons: how active each is for a value of the observation."""

from __future__ import annotations

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, clip, exp, like


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
