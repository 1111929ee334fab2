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
    """How an observation is encoded.
    hashed: any observation; by many shifted tilings, coarse and fine, over its numbers alone, in groups and all together, or,
    if it is planes of symbols, by what is unusual in it, alone, in pairs and all together.
    place-cells: Gaussian place cells on one grid over a Box, or on several over parts. separate: a grid for each number, which
    leaves combining them to hidden layers. tiles: binary tiles on several shifted grids.
    tuples: random groups of entries, with a cell for each combination of their values.
    module:Name: your own encoder (docs/extending.md)."""
    low: tuple[float, ...] = ()
    """Lower end of the range of each number; empty for what random actions show of it, or for the space's own bound (place-cells,
    separate, tiles: random actions only where there is no bound, or one far beyond them)."""
    high: tuple[float, ...] = ()
    """Upper end of the range of each number; empty as for `low`."""
    usual: tuple[float, ...] = ()
    """The value that each number has most of the time, for which no neuron fires; empty for what random actions show (hashed,
    planes of symbols alone)."""
    cells: tuple[int, ...] = ()
    """Place cells, or tiles of a tiling, along each number; empty for about 300 in total (place-cells, tiles)."""
    tilings: int = 8
    """Number of shifted grids (tiles)."""
    width: float | tuple[float, ...] = 0.7
    """Standard deviation of a place field, in grid spacings, for all dimensions or for each (place-cells); well
    below 0.4 the fields of a dimension with few values do not overlap."""
    floor: float = 0.0
    """Rate threshold: place cells below this share of the most active cell's rate are silent (place-cells)."""
    image: ImageCode = "intensity"
    """How an image of many colours, or the input of a convolution, is encoded: brightness, contrast with its mean in two channels
    (on-off), or a channel for each value (one-hot)."""
    levels: int = 16
    """Number of pixel values, from the lowest up, that have a channel (one-hot); number of levels that the range of an
    entry is divided into if it has more values (tuples)."""
    tuples: tuple[tuple[int, int], ...] = ((64, 2),)
    """Random groups of entries: number of groups, and entries in each, 0 for all (tuples)."""
    tuple_cells: int = 256
    """Cells of a group; if its entries' values have more combinations, a hash maps them to this many cells (tuples)."""
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
