"""Whole numbers that no number with a point can tell apart, counted from one of them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.encoders.base import Encoder, Precise

EXACT = 2**53
"""Whole numbers beyond it are not all told apart in double precision."""


class Counted(Precise):
    """An encoder of whole numbers less ``first (entries,)``, which are subtracted before anything is rounded."""

    def __init__(self, encoder: Encoder, first: np.ndarray) -> None:
        self.encoder, self.first = encoder, first

    @property
    def size(self) -> int:
        return self.encoder.size

    def rates(self, obs: Tensor) -> Tensor:
        """Whole ``(agents, envs, *entries)`` -> ``(agents, envs, size)``."""
        first = torch.from_numpy(self.first).to(obs.device)
        return self.encoder.rates(obs - first.reshape(obs.shape[2:]))

    def to(self, device: torch.device, dtype: torch.dtype) -> Counted:
        self.encoder = self.encoder.to(device, dtype)
        return self
