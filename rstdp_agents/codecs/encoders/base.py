"""The interface of encoders, and how rates become spikes."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.equations.random_numbers import RESOLUTION

BELOW_RESOLUTION = float(RESOLUTION) * (1.0 - float(RESOLUTION))
"""The float32 below the step of the uniform draws: a spike that is not more probable never happens."""

FLOAT32 = np.dtype(np.float32)
COMPUTABLE = frozenset(map(np.dtype, ("uint8", "int8", "int16", "int32", "int64", "float32", "float64")))
"""Types that torch and compiled code compute with."""


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


@runtime_checkable
class Listed(Encoder, Protocol):
    """An encoder that says which few of its many neurons are active, and how much."""

    @property
    def most(self) -> int:
        """Largest number of neurons that one observation activates."""
        ...

    def active(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """Observations ``(agents, envs, *obs)`` -> places int64 and rates of the active neurons, ``(agents, envs, most)``.

        Places are different for one observation; those that are not needed have rate 0.
        """
        ...


def computable(obs: np.ndarray) -> np.ndarray:
    """``obs`` unchanged if torch and compiled code can compute with its type, else in a type that holds its numbers."""
    if obs.dtype is FLOAT32 or obs.dtype in COMPUTABLE:  # the most common case first
        return obs
    if obs.dtype.kind == "b":
        return obs.view(np.uint8)
    return obs.astype(np.int64 if obs.dtype.kind == "u" and int(obs.max(initial=0)) < 2**63 else np.float64)


class Precise:
    """An encoder that takes observations in their own type, on any device, and returns rates in its type on its device.

    Other encoders receive observations rounded to the agent's number type, on the agent's device.
    """

    device, dtype = torch.device("cpu"), torch.float64


def bernoulli(rates: Tensor, uniform: Tensor, p_max: float) -> Tensor:
    """Spikes of independent Bernoulli trials, one per tick, with probability ``rates * p_max``.

    rates: ``(agents, envs, pre)`` in [0, 1]. uniform: ``(ticks, agents, envs, pre)`` in [0, 1). Returns 0 and 1 of that shape.
    """
    chance = torch.threshold_(rates * p_max, BELOW_RESOLUTION, 0.0)
    return torch.lt(uniform, chance, out=torch.empty(uniform.shape, device=uniform.device, dtype=uniform.dtype))
