"""What an encoder is, and how rates become spikes."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

FINEST = 2.0**-24
"""Step of the random numbers: a spike that is less probable never happens."""
BELOW_FINEST = FINEST * (1.0 - FINEST)
"""The next smaller float32."""


class Encoder(Protocol):
    """Observation space -> population of input neurons."""

    @property
    def size(self) -> int:
        """Number of input neurons."""
        ...

    def rates(self, obs: Tensor) -> Tensor:
        """Observations ``(agents, envs, *obs)`` -> relative rates ``(agents, envs, pre)`` in [0, 1]."""
        ...

    def to(self, device: torch.device, dtype: torch.dtype) -> Encoder:
        """The same encoder with its constants on a device."""
        ...


def poisson(rates: Tensor, uniform: Tensor, p_max: float) -> Tensor:
    """Spikes of independent Bernoulli trials, one per tick, with probability ``rates * p_max``.

    rates: ``(agents, envs, pre)`` in [0, 1]. uniform: ``(ticks, agents, envs, pre)`` in [0, 1). Returns 0 and 1 of that shape.
    """
    chance = torch.threshold_(rates * p_max, BELOW_FINEST, 0.0)
    return torch.lt(uniform, chance, out=torch.empty(uniform.shape, device=uniform.device, dtype=uniform.dtype))
