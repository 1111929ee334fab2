"""Rates of place cells on several grids, compiled."""

from __future__ import annotations

import numpy as np

from rstdp_agents.agent.fused.encoders import encode_grid
from rstdp_agents.agent.fused.ntuples import CompiledTuples
from rstdp_agents.base.compiled import entry
from rstdp_agents.codecs.encoders import Encoder
from rstdp_agents.codecs.encoders.composite import POWER, Composite
from rstdp_agents.codecs.encoders.grids import Grids, counts_of, points_of
from rstdp_agents.codecs.encoders.ntuples import TupleCoding


class CompiledGrids:
    """`composite.Composite.rates` of an encoder that consists of grids alone, for observations as arrays."""

    def __init__(self, encoder: Grids) -> None:
        grids = encoder.grids
        axes = [axis for grid in grids for axis in grid.axes]
        self.size, self._floor = encoder.size, encoder.floor
        self._axes = np.cumsum([0, *(len(grid.axes) for grid in grids)])
        self._within = np.array([grid.within or (-1, 0, 0) for grid in grids], dtype=np.int64)
        self._columns = encoder.columns.numpy()
        self._cells, self._points = counts_of(axes), points_of(axes)
        self._sigma = np.array([axis.sigma for axis in axes], dtype=np.float64)

    def rates(self, obs: np.ndarray) -> np.ndarray:
        """Observations ``(agents, envs, ...)`` -> ``(agents, envs, size)`` float32."""
        rows = obs.reshape(obs.shape[0] * obs.shape[1], -1).astype(np.float64)
        out = np.empty((len(rows), self.size), dtype=np.float32)
        grid_rates(
            rows, self._axes, self._within, self._columns, self._cells, self._points, self._sigma, self._floor, POWER, out
        )  # fmt: skip
        return out.reshape(*obs.shape[:2], self.size)


def compiled(encoder: Encoder) -> CompiledGrids | CompiledTuples | None:
    """The compiled form of a composite of grids or of tuples alone; None for any other encoder."""
    part = encoder.parts[0].encoder if isinstance(encoder, Composite) and len(encoder.parts) == 1 else None
    if isinstance(part, Grids):
        return CompiledGrids(part)
    return CompiledTuples(part) if isinstance(part, TupleCoding) else None


@entry()
def grid_rates(rows, axes, within, columns, cells, points, sigma, floor, power, out):
    """Rates ``out (N, cells)`` of ``rows (N, columns)``. axes ``(G + 1,)``: where each grid's axes begin; within ``(G, 3)``."""
    index, value = np.empty(out.shape[1], np.int32), np.empty(out.shape[1], np.float32)
    for n in range(rows.shape[0]):
        first, first_point = 0, 0
        for g in range(within.shape[0]):
            own = slice(axes[g], axes[g + 1])
            size, many = 1, 0
            for count in cells[own]:
                size, many = size * count, many + count
            rates, gate = out[n, first : first + size], within[g]
            rates[:] = 0.0
            if gate[0] < 0 or gate[1] <= rows[n, gate[0]] <= gate[2]:
                active = encode_grid(
                    rows[n][columns[own]], points[first_point : first_point + many], cells[own], sigma[own],
                    floor, index[:size], value[:size],
                )  # fmt: skip
                for i in range(active):
                    rates[index[i]] = value[i]
            first, first_point = first + size, first_point + many
        total = 0.0
        for i in range(out.shape[1]):
            total += out[n, i] * out[n, i]
        if total > power:
            out[n] *= np.float32((power / total) ** 0.5)
