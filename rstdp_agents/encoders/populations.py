"""Populations that code one-dimensional and discrete observations: place cells, a neuron for every value, intensities."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rstdp_agents import validate


class PlaceCells:
    """Conjunctive place cells: one Gaussian bump per point of a regular grid over all dimensions together.

    rate_c = exp(-0.5 |(obs - centre_c) / sigma|^2), relative to the most active cell; sigma = width * spacing. Cells below
    ``floor`` are silent. Observations beyond the grid's bounds are moved onto them. width: of all dimensions, or of each.
    """

    def __init__(
        self, low: np.ndarray, high: np.ndarray, cells: tuple[int, ...], width: float | np.ndarray = 0.7,
        floor: float = 0.0,
    ) -> None:  # fmt: skip
        low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        validate.positive("width", float(np.min(width)), "grid spacings")
        validate.grid(low, high, cells, least=2)
        axes = [np.linspace(lo, hi, n) for lo, hi, n in zip(low, high, cells)]
        sigma = width * np.array([axis[1] - axis[0] for axis in axes])
        centres = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(cells)) / sigma
        self.low, self.high, self.floor = torch.from_numpy(low), torch.from_numpy(high), floor
        # |o/s - c|^2 without its |o/s|^2 part, which is the same for every cell and drops out of relative rates
        self._project = torch.from_numpy((centres / sigma).T.copy())
        self._offset = torch.from_numpy(-0.5 * (centres**2).sum(1))
        self.grid = np.concatenate(axes), np.array(cells), sigma
        """Coordinates of the grid, dimension after dimension, its size, and the width of a field, per dimension."""

    @property
    def size(self) -> int:
        return self._offset.shape[0]

    def rates(self, obs: Tensor) -> Tensor:
        """``(agents, envs, dims)`` -> ``(agents, envs, cells)``."""
        exponent = torch.maximum(torch.minimum(obs, self.high), self.low) @ self._project + self._offset
        rates = exponent.sub_(exponent.amax(-1, keepdim=True)).exp_()
        return rates.masked_fill_(rates < self.floor, 0.0) if self.floor else rates

    def to(self, device: torch.device, dtype: torch.dtype) -> PlaceCells:
        for name in ("low", "high", "_project", "_offset"):
            setattr(self, name, getattr(self, name).to(device=device, dtype=dtype))
        return self


class OneHot:
    """One input neuron per value of a Discrete observation."""

    def __init__(self, n: int, start: int = 0) -> None:
        validate.positive("n", n, "values")
        self.first = start
        self._values = torch.arange(start, start + n)

    @property
    def size(self) -> int:
        return self._values.shape[0]

    def rates(self, obs: Tensor) -> Tensor:
        """``(agents, envs)`` -> ``(agents, envs, n)``."""
        return (obs[..., None] == self._values).to(self._values.dtype)

    def to(self, device: torch.device, dtype: torch.dtype) -> OneHot:
        self._values = self._values.to(device=device, dtype=dtype)
        return self


class Intensity:
    """One input neuron per entry of a bounded observation: its rate grows from none at ``low`` to the highest at ``high``.

    low, high ``(entries,)``. Observations beyond them count as on them.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        low, high = (np.asarray(bound, dtype=np.float64).reshape(-1) for bound in (low, high))
        ordered = low.shape == high.shape and bool((low < high).all())
        validate.require(ordered, f"`low` must lie below `high` in every entry; received {low} and {high}")
        self.low, self.scale = torch.from_numpy(low), torch.from_numpy(1.0 / (high - low))

    @property
    def size(self) -> int:
        return self.low.shape[0]

    def rates(self, obs: Tensor) -> Tensor:
        """``(agents, envs, *entries)`` -> ``(agents, envs, entries)``."""
        return ((obs.flatten(2) - self.low) * self.scale).clamp_(0.0, 1.0)

    def to(self, device: torch.device, dtype: torch.dtype) -> Intensity:
        self.low, self.scale = (t.to(device=device, dtype=dtype) for t in (self.low, self.scale))
        return self
