"""Planes and symbols: what is other than usual in an observation of many whole numbers, alone, in pairs and all together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.codecs.encoders.base import Precise
from rstdp_agents.codecs.encoders.composite import POWER
from rstdp_agents.equations.receptive_fields import PRIME, even_rate, hash_step

DRAWN_BY = 0
"""Seed of the hashes, the same in every run."""
MOST = 40
"""Unusual numbers that count; further ones are ignored."""
ALONE, PAIRS, TOGETHER = 4096, 16384, 4096
"""Neurons for unusual numbers alone, in pairs and all together, onto which these are hashed."""
VALUES = 1 << 16
"""Values of a number that are told apart."""
ALWAYS = 0.3
"""Rate of a neuron that is always active."""


class Symbol(NamedTuple):
    """A whole number of an observation."""

    column: int
    usual: float
    """The value that it has most of the time, for which no neuron fires."""


class ActivePairs(Precise):
    """Cells for numbers with unusual values, for all pairs of them, and for all of them at once.

    A ball and a paddle on a board of a hundred fields are two numbers and one pair, wherever they are. Neurons adapt to what is
    there always, and fire for what is not. The three kinds share the power evenly, so do the cells of a kind.
    """

    def __init__(self, symbols: list[Symbol]) -> None:
        random = np.random.default_rng(DRAWN_BY)
        self.columns = torch.tensor([symbol.column for symbol in symbols])
        self.usual = torch.tensor([symbol.usual for symbol in symbols], dtype=torch.float64)
        self.hashes = torch.from_numpy(random.integers(PRIME // 2, PRIME, 4))
        """Factors of the hash of a number, of a pair and of all together; where they begin."""
        self.size = ALONE + PAIRS + TOGETHER + 1
        self.most = MOST + MOST * (MOST - 1) // 2 + 2
        self._pairs = torch.tril_indices(MOST, MOST, -1)

    def active(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """See `base.Listed`, for rows ``(agents, envs, columns)``; two places are the same if two pairs have the same neuron."""
        rows = obs.to(self.device).reshape(*obs.shape[:2], -1)[..., self.columns].double()
        unusual = rows != self.usual
        token = self._token(rows)
        key = self.hashes[3].expand(rows.shape[:-1])
        for i in range(rows.shape[-1]):
            key = torch.where(unusual[..., i], hash_step(key, token[..., i], self.hashes[2]), key)
        order = unusual.to(torch.uint8).argsort(dim=-1, descending=True, stable=True)[..., :MOST]
        counts = torch.nn.functional.pad(unusual.gather(-1, order), (0, MOST - order.shape[-1]))
        token = torch.nn.functional.pad(token.gather(-1, order), (0, MOST - order.shape[-1]))
        second, first = self._pairs
        pair = hash_step(hash_step(token[..., second], 0, self.hashes[1]), token[..., first], self.hashes[1])
        n = counts.sum(-1, keepdim=True).double()
        both = counts[..., second] & counts[..., first]
        ones = torch.ones_like(key)[..., None]
        places = [
            token % ALONE,
            ALONE + pair % PAIRS,
            ALONE + PAIRS + key[..., None] % TOGETHER,
            ones * (self.size - 1),
        ]
        alone, paired = even_rate(POWER / 3, n), even_rate(POWER / 3, n * (n - 1) / 2)
        shares = [counts * alone, both * paired, ones * even_rate(POWER / 3, 1.0), ones * ALWAYS]
        return torch.cat(places, -1), torch.cat([part.to(self.dtype) for part in shares], -1)

    def rates(self, obs: Tensor) -> Tensor:
        """Rows ``(agents, envs, columns)`` -> ``(agents, envs, size)``."""
        out = torch.zeros(*obs.shape[:2], self.size, dtype=self.dtype, device=self.device)
        return out.scatter_reduce_(-1, *self.active(obs), "amax")

    def to(self, device: torch.device, dtype: torch.dtype) -> ActivePairs:
        self.device, self.dtype = device, dtype
        for name in ("columns", "usual", "hashes", "_pairs"):
            setattr(self, name, getattr(self, name).to(device))
        return self

    def _token(self, rows: Tensor) -> Tensor:
        """A number for every value of every number of the rows."""
        entry = torch.arange(rows.shape[-1], device=self.device)
        return hash_step(entry * VALUES, rows.long() % VALUES, self.hashes[0])
