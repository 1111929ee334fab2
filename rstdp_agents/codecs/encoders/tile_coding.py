"""Tile coding: several grids of boxes, shifted against each other; in each the box that contains the observation fires."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.codecs.encoders.base import Precise


class TileCoding(Precise):
    """Binary conjunctive cells: one box per tiling is active, with rate 1.

    In units of a tile, tiling k is shifted by ``k (2 d + 1) / tilings`` (modulo 1) in dimension d, the asymmetric offsets of
    Miller and Glanz (1996) that Sutton and Barto (2018, section 9.5.4) recommend. Observations beyond the bounds are moved
    onto them. tiles: per dimension, across the bounds; a shifted tiling has one more.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, tiles: tuple[int, ...], tilings: int) -> None:
        low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        validate.positive("tilings", tilings)
        validate.grid(low, high, tiles, least=1)
        dims, sizes = np.arange(len(tiles)), np.array(tiles) + 1
        offsets = np.outer(np.arange(tilings), 2 * dims + 1) / tilings % 1.0
        strides = np.append(np.cumprod(sizes[:0:-1])[::-1], 1)
        self._per_tiling = math.prod(sizes.tolist())
        self.tilings = tilings
        self.low, self.high = low, high
        self._low, self._high = torch.from_numpy(low), torch.from_numpy(high)
        self.tiles, self._offsets = torch.tensor(tiles, dtype=torch.float64), torch.from_numpy(offsets)
        self._strides = torch.from_numpy(strides.astype(np.float64))

    @property
    def size(self) -> int:
        """Number of tiles in all tilings."""
        return self.tilings * self._per_tiling

    def active(self, obs: Tensor) -> Tensor:
        """Index of the active tile of every tiling, ``(agents, envs, tilings)`` int64, for ``(agents, envs, *shape)``."""
        row = obs.to(self.device).double().reshape(*obs.shape[:2], len(self.tiles))
        within = torch.maximum(torch.minimum(row, self._high), self._low)
        place = ((within - self._low) / (self._high - self._low) * self.tiles)[..., None, :] + self._offsets
        cell = torch.minimum(place.floor(), self.tiles) @ self._strides
        return cell.long() + torch.arange(self.tilings, device=self.device) * self._per_tiling

    def rates(self, obs: Tensor) -> Tensor:
        """``(agents, envs, *shape)``, a number for each dimension -> ``(agents, envs, size)`` of 0 and 1."""
        out = torch.zeros(*obs.shape[:2], self.size, dtype=self.dtype, device=self.device)
        return out.scatter_(-1, self.active(obs), 1.0)

    def to(self, device: torch.device, dtype: torch.dtype) -> TileCoding:
        """The same tiles on a device; places are computed in double precision, whatever the rates' type."""
        self.device, self.dtype = device, dtype
        for name in ("_low", "_high", "tiles", "_offsets", "_strides"):
            setattr(self, name, getattr(self, name).to(device))
        return self
