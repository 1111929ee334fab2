"""Settings of the encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import numpy as np

from rstdp_agents.base import validate
from rstdp_agents.base.options import named

Code = Literal["place-cells", "separate", "tiles", "tuples"]
ImageCode = Literal["intensity", "on-off", "one-hot"]


@dataclass(frozen=True)
class EncoderConfig:
    """Observations to input spikes."""

    code: Annotated[str, named(Code, "--encoder")] = "place-cells"
    """What a Box is encoded by: Gaussian place cells on one grid, or on one for each dimension (separate), which
    says nothing of how they go together and leaves that to hidden layers; or binary tiles on several shifted
    grids; or an encoder of your own (docs/extending.md). Tuples are for any observation of many entries, images
    and memory included: random groups of them, with a cell for each combination of values."""
    low: tuple[float, ...] = ()
    """Lower bound of the grid in each dimension; empty for the space's own, or what chance reaches where it has
    none, or one far wider than that (tuples: what chance reaches, in each entry of the observation)."""
    high: tuple[float, ...] = ()
    """Upper bound of the grid in each dimension; empty for the same."""
    cells: tuple[int, ...] = ()
    """Place cells, or tiles of a tiling, along each dimension; empty for about 300 in all."""
    tilings: int = 8
    """Shifted grids of tiles (tiles)."""
    width: float | tuple[float, ...] = 0.7
    """Standard deviation of a place field, in grid spacings, for all dimensions or for each (place-cells); well
    below 0.4 the values of a dimension that has few of them do not overlap."""
    floor: float = 0.0
    """Place cells below this share of the most active cell's rate are silent (place-cells)."""
    image: ImageCode = "intensity"
    """What an image is encoded by: brightness, contrast to its mean in two channels, or a channel for each value."""
    levels: int = 16
    """Values of a pixel, from its lowest on, that have a channel (one-hot); levels that the range of an entry is
    divided into, where it has more values (tuples)."""
    tuples: tuple[tuple[int, int], ...] = ((64, 2),)
    """Random groups of entries: how many groups, and how many entries each holds, 0 for all (tuples)."""
    tuple_cells: int = 256
    """Cells of a group; if the values of its entries have more combinations, a hash chooses among so many (tuples)."""
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
