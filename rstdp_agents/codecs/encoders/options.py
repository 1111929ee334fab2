"""Settings of the encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import numpy as np

from rstdp_agents.base import validate
from rstdp_agents.base.options import named

Code = Literal["hashed", "place-cells", "separate", "tiles", "tuples"]
ImageCode = Literal["intensity", "on-off", "one-hot"]


@dataclass(frozen=True)
class EncoderConfig:
    """Observations to input spikes."""

    code: Annotated[str, named(Code, "--encoder")] = "hashed"
    """By hashed tilings over all numbers, or by what is unusual in planes of symbols (hashed); a Box by place cells on one grid
    (place-cells) or one per dimension (separate, for hidden layers to combine), or by tiles on shifted grids (tiles); by
    random groups of entries (tuples); or by your own encoder (docs/extending.md)."""
    low: tuple[float, ...] = ()
    """Lower bound in each dimension; empty for the space's own, or what random actions reach if it has none or one far
    beyond (hashed, tuples: what random actions reach, in each entry)."""
    high: tuple[float, ...] = ()
    """Upper bound of the grid in each dimension; empty as for `low`."""
    usual: tuple[float, ...] = ()
    """Value of each entry for which no neuron fires; empty for the most frequent one (hashed planes)."""
    cells: tuple[int, ...] = ()
    """Place cells, or tiles of a tiling, along each dimension; empty for about 300 in total."""
    tilings: int = 8
    """Number of shifted grids (tiles)."""
    width: float | tuple[float, ...] = 0.7
    """Standard deviation of a place field, in grid spacings, for all dimensions or for each (place-cells); well
    below 0.4 the fields of a dimension with few values do not overlap."""
    floor: float = 0.0
    """Share of the most active cell's rate below which a cell is silent (place-cells)."""
    image: ImageCode = "intensity"
    """Brightness, contrast in two channels (on-off), or a channel for each value (one-hot)."""
    levels: int = 16
    """Lowest pixel values, which have a channel (one-hot); levels of an entry's range (tuples)."""
    tuples: tuple[tuple[int, int], ...] = ((64, 2),)
    """Random groups of entries: number of groups, and entries in each, 0 for all (tuples)."""
    tuple_cells: int = 256
    """Cells of a group, onto which its entries' values are hashed if they are more (tuples)."""
    rate_max: float = 500.0
    """Firing rate of the most active input neuron (Hz)."""

    def __post_init__(self) -> None:
        validate.named("encoder.code", self.code, get_args(Code))
        for width in np.atleast_1d(self.width):
            validate.positive("width", width, "grid spacings")
        validate.positive("tilings", self.tilings)
        validate.positive("levels", self.levels)
        validate.positive("tuple_cells", self.tuple_cells)
        for count, size in self.tuples:
            validate.positive("encoder.tuples", count, "groups")
            validate.not_negative("encoder.tuples", size, "entries")
        validate.within("floor", self.floor, 0.0, 1.0)
        validate.positive("rate_max", self.rate_max, "Hz")
