"""All-to-all synapse."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.spiking.synapses.geometry import Geometry


@dataclass(frozen=True)
class Linear(Geometry):
    """Every input neuron to every output neuron; weight ``(agents, post, pre)``."""

    pre: int
    """Number of presynaptic neurons."""
    post: int
    """Number of postsynaptic neurons."""

    def __post_init__(self) -> None:
        validate.positive("pre", self.pre, "neurons")
        validate.positive("post", self.post, "neurons")

    @property
    def pre_axes(self) -> dict[str, int]:
        return {"pre": self.pre}

    @property
    def post_axes(self) -> dict[str, int]:
        return {"post": self.post}

    @property
    def weight_axes(self) -> dict[str, int]:
        return {"post": self.post, "pre": self.pre}

    def current(self, pre: Tensor, weight: Tensor) -> Tensor:
        """One matmul per agent for all ticks and envs: ``weight @ pre``; shapes as in `Synapse.current`."""
        self.check_current(pre, weight)
        ticks, agents, envs, _ = pre.shape
        rows = pre.transpose(0, 1).reshape(agents, ticks * envs, self.pre)
        return torch.bmm(rows, weight.transpose(1, 2)).view(agents, ticks, envs, self.post).transpose(0, 1)

    def hebb(self, post: Tensor, pre: Tensor) -> Tensor:
        """Outer products summed over ticks in one batched matmul; shapes as in `Synapse.hebb`."""
        self.check_hebb(post, pre)
        return post.permute(1, 2, 3, 0) @ pre.permute(1, 2, 0, 3)

    def accumulate(self, z: Tensor, post: Tensor, pre: Tensor, decay: float, gain: float) -> None:
        """`Synapse.accumulate` in the same matmul, straight into z."""
        self.check_hebb(post, pre)
        ticks = post.shape[0]
        rows, columns = post.reshape(ticks, -1, self.post), pre.reshape(ticks, -1, self.pre)
        z.view(-1, self.post, self.pre).baddbmm_(rows.permute(1, 2, 0), columns.transpose(0, 1), beta=decay, alpha=gain)
