"""One-to-one synapse."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.spiking.synapses.geometry import Geometry


@dataclass(frozen=True)
class OneToOne(Geometry):
    """Each input neuron to the output neuron of the same index; weight ``(agents, neurons)``."""

    neurons: int
    """Number of neurons on either side."""

    def __post_init__(self) -> None:
        validate.positive("neurons", self.neurons, "neurons")

    @property
    def pre_axes(self) -> dict[str, int]:
        return {"neurons": self.neurons}

    @property
    def post_axes(self) -> dict[str, int]:
        return self.pre_axes

    @property
    def weight_axes(self) -> dict[str, int]:
        return self.pre_axes

    def current(self, pre: Tensor, weight: Tensor) -> Tensor:
        """``weight * pre``; shapes as in `Synapse.current`."""
        self.check_current(pre, weight)
        return weight[:, None] * pre

    def hebb(self, post: Tensor, pre: Tensor) -> Tensor:
        """Products summed over ticks; shapes as in `Synapse.hebb`."""
        self.check_hebb(post, pre)
        return torch.einsum("taen,taen->aen", post, pre)
