"""Populations for single observations: place cells, a neuron for every value, intensities."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.codecs.encoders.base import Precise
from rstdp_agents.codecs.encoders.span import Span
from rstdp_agents.equations.receptive_fields import intensity


class PlaceCells(Precise):
    """Conjunctive place cells: one Gaussian bump per point of a regular grid over all dimensions together.

    rate_c = exp(-0.5 |(obs - centre_c) / sigma|^2), relative to the most active cell; sigma = width * spacing. Cells below
    ``floor`` are silent. Observations beyond the grid's bounds are clipped to them. width: for all dimensions, or for each.
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
        self.low, self.high, self.floor, self._span = low, high, floor, Span(low, high)
        scaled = sigma / self._span.unit
        points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(cells))
        centres = self._span.place(points) / scaled
        self._low, self._high = (torch.from_numpy(self._span.place(bound)) for bound in (low, high))
        # |o/s - c|^2 without its |o/s|^2 part, which is the same for every cell and drops out of relative rates
        self._project = torch.from_numpy((centres / scaled).T.copy())
        self._offset = torch.from_numpy(-0.5 * (centres**2).sum(1))
        self.grid = np.concatenate(axes), np.array(cells), sigma
        """Coordinates of the grid, dimension after dimension, its size, and the width of a field, per dimension."""

    @property
    def size(self) -> int:
        return self._offset.shape[0]

    def rates(self, obs: Tensor) -> Tensor:
        """``(agents, envs, dims)`` -> ``(agents, envs, cells)``."""
        place = torch.maximum(torch.minimum(self._span.relative(obs), self._high), self._low)
        exponent = place @ self._project + self._offset
        rates = exponent.sub_(exponent.amax(-1, keepdim=True)).exp_()
        return rates.masked_fill_(rates < self.floor, 0.0) if self.floor else rates

    def to(self, device: torch.device, dtype: torch.dtype) -> PlaceCells:
        self._span.to(device, dtype)
        for name in ("_low", "_high", "_project", "_offset"):
            setattr(self, name, getattr(self, name).to(device=device, dtype=dtype))
        return self


class OneHot(Precise):
    """One input neuron per value of a Discrete observation."""

    def __init__(self, n: int, start: int = 0) -> None:
        validate.positive("n", n, "values")
        self.first = start
        self._places = torch.arange(n)

    @property
    def size(self) -> int:
        return self._places.shape[0]

    def rates(self, obs: Tensor) -> Tensor:
        """``(agents, envs)`` -> ``(agents, envs, n)``."""
        place = (obs - self.first).to(
            self._places.device
        )  # in the observation's type: large numbers keep their differences
        return (place[..., None] == self._places).to(self.dtype)

    def to(self, device: torch.device, dtype: torch.dtype) -> OneHot:
        self._places, self.dtype = self._places.to(device), dtype
        return self


class Intensity(Precise):
    """One input neuron per entry of a bounded observation: its rate grows from zero at ``low`` to the highest at ``high``.

    low, high ``(entries,)``. Observations beyond them are clipped to them.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        low, high = (np.asarray(bound, dtype=np.float64).reshape(-1) for bound in (low, high))
        ordered = low.shape == high.shape and bool((low < high).all())
        validate.require(ordered, f"`low` must lie below `high` in every entry; received {low} and {high}")
        self.bounds, self._span = (low, high), Span(low, high)
        self._low = torch.from_numpy(self._span.place(low))
        self._scale = torch.from_numpy(self._span.unit / (high - low))

    @property
    def size(self) -> int:
        return self._low.shape[0]

    def rates(self, obs: Tensor) -> Tensor:
        """``(agents, envs, *entries)`` -> ``(agents, envs, entries)``."""
        return intensity(self._span.relative(obs.flatten(2)), self._low, self._scale)

    def to(self, device: torch.device, dtype: torch.dtype) -> Intensity:
        self._span.to(device, dtype)
        self._low, self._scale = (t.to(device=device, dtype=dtype) for t in (self._low, self._scale))
        return self
