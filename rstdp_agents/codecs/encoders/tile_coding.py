"""Tile coding: several grids of boxes, shifted against each other; in each the box that contains the observation fires."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.codecs.encoders.base import Precise
from rstdp_agents.equations.receptive_fields import tile_place, tile_shift


class TileCoding(Precise):
    """Binary conjunctive cells: one box per tiling is active, with rate 1.

    Tilings are shifted by `receptive_fields.tile_shift`. Observations beyond the bounds are moved onto them. tiles: per
    dimension, across the bounds; a shifted tiling has one more.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, tiles: tuple[int, ...], tilings: int) -> None:
        low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        validate.positive("tilings", tilings)
        validate.grid(low, high, tiles, least=1)
        sizes = np.array(tiles) + 1
        strides = np.append(np.cumprod(sizes[:0:-1])[::-1], 1)
        self._per_tiling = math.prod(sizes.tolist())
        self.tilings = tilings
        self.low, self.high, self.tiles = low, high, np.array(tiles)
        self.per_unit = self.tiles / (high - low)
        """Tiles per unit of the observation, in each dimension."""
        shifts = tile_shift(np.arange(tilings)[:, None], np.arange(len(tiles)), tilings)
        self._low, self._per_unit, self._shifts = map(torch.from_numpy, (low, self.per_unit, shifts))
        self._tiles = torch.tensor(tiles, dtype=torch.float64)
        self._strides = torch.from_numpy(strides.astype(np.float64))

    @property
    def size(self) -> int:
        """Number of tiles in all tilings."""
        return self.tilings * self._per_tiling

    def active(self, obs: Tensor) -> Tensor:
        """Index of the active tile of every tiling, ``(agents, envs, tilings)`` int64, for ``(agents, envs, *shape)``."""
        row = obs.to(self.device).double().reshape(*obs.shape[:2], 1, len(self.tiles))
        place = tile_place(row, self._low, self._per_unit, self._tiles, self._shifts)
        cell = torch.minimum(place.floor(), self._tiles) @ self._strides
        return cell.long() + torch.arange(self.tilings, device=self.device) * self._per_tiling

    def rates(self, obs: Tensor) -> Tensor:
        """``(agents, envs, *shape)``, a number for each dimension -> ``(agents, envs, size)`` of 0 and 1."""
        out = torch.zeros(*obs.shape[:2], self.size, dtype=self.dtype, device=self.device)
        return out.scatter_(-1, self.active(obs), 1.0)

    def to(self, device: torch.device, dtype: torch.dtype) -> TileCoding:
        """The same tiles on a device; places are computed in double precision, whatever the rates' type."""
        self.device, self.dtype = device, dtype
        for name in ("_low", "_per_unit", "_tiles", "_shifts", "_strides"):
            setattr(self, name, getattr(self, name).to(device))
        return self
