"""Locally connected synapse: a convolution that shares no weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from rstdp_agents.spiking.synapses.conv import Conv2d


@dataclass(frozen=True)
class LocallyConnected2d(Conv2d):
    """The receptive fields of `Conv2d` with a kernel of its own at every output position.

    Weight ``(agents, out, height_out, width_out, in / groups, height, width)``.
    """

    @property
    def weight_axes(self) -> dict[str, int]:
        shared = super().weight_axes
        return {"out_channels": shared.pop("out_channels"), **dict(zip(self.space, self.post_shape[1:])), **shared}

    def current(self, pre: Tensor, weight: Tensor) -> Tensor:
        """One batched matmul over all positions; shapes as in `Synapse.current`."""
        self.check_current(pre, weight)
        per_position = weight.flatten(4).flatten(2, 3).unflatten(1, (self.groups, -1))
        current = torch.einsum("taegkp,agopk->taegop", self._fields(pre), per_position)
        return current.reshape(*pre.shape[:3], *self.post_shape)

    def hebb(self, post: Tensor, pre: Tensor) -> Tensor:
        """Products summed over ticks, position by position; shapes as in `Synapse.hebb`."""
        self.check_hebb(post, pre)
        by_group = post.flatten(4).unflatten(3, (self.groups, -1))
        products = torch.einsum("taegop,taegkp->aegopk", by_group, self._fields(pre))
        return products.reshape(*pre.shape[1:3], *self.weight_shape)

    def _fields(self, pre: Tensor) -> Tensor:
        """What each output position sees, ``(ticks, agents, envs, groups, in / groups * kernel, positions)``."""
        kernel, stride, dilation = self.taps
        fields = F.unfold(self.padded(pre).flatten(0, 2), kernel, dilation=dilation, stride=stride)
        return fields.reshape(*pre.shape[:3], self.groups, -1, fields.shape[-1])
