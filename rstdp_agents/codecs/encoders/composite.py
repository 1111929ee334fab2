"""The code of an observation with several parts: the populations of its parts, side by side."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.codecs.encoders import Encoder
from rstdp_agents.codecs.encoders.base import Precise

POWER = 4.0
"""Largest sum of squared rates over all populations: about that of one grid over four dimensions."""


class Part(NamedTuple):
    """An encoder for some columns of a row."""

    columns: slice
    shape: tuple[int, ...]
    """Shape of the columns, for the encoder."""
    encoder: Encoder


class Composite(Precise):
    """Concatenated populations whose rates are scaled down together so that the sum of their squares is at most `POWER`.

    A weight learns in proportion to its input's rate and acts in proportion to it: so one update changes the drive of the
    output neurons as much with a hundred parts as with one (divisive normalisation, Carandini and Heeger 2012).
    """

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts

    @property
    def size(self) -> int:
        return sum(part.encoder.size for part in self.parts)

    def rates(self, obs: Tensor) -> Tensor:
        """Observations ``(agents, envs, *shape)``, or rows ``(agents, envs, columns)`` -> ``(agents, envs, size)``."""
        row = obs.reshape(*obs.shape[:2], -1)
        rates = [part.encoder.rates(row[..., part.columns].unflatten(-1, part.shape)) for part in self.parts]
        together = torch.cat(rates, -1)
        size = torch.linalg.vector_norm(together, dim=-1, keepdim=True)
        return together.div_(size.div_(math.sqrt(POWER)).clamp_(min=1.0))

    def to(self, device: torch.device, dtype: torch.dtype) -> Composite:
        self.parts = [part._replace(encoder=part.encoder.to(device, dtype)) for part in self.parts]
        return self
