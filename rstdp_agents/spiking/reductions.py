"""From many to one: over the envs of an agent, and from output neurons to the weights that feed them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.spiking.synapses import Synapse

Reduction: TypeAlias = Callable[[Tensor, int], Tensor]
"""Takes a tensor and the axis of the envs, returns it without that axis: `mean_envs`, `add_envs`, `torch.amax` ..."""


def mean_envs(tensor: Tensor, axis: int) -> Tensor:
    """Mean over the envs: what an agent learns does not grow with their number."""
    return tensor.mean(axis)


def add_envs(tensor: Tensor, axis: int) -> Tensor:
    """Sum over the envs: each counts in full."""
    return tensor.sum(axis)


def per_weight(synapse: Synapse, per_post: Tensor) -> Tensor:
    """Value of the output neuron that each weight feeds, ``(agents, envs, *weight)``, for ``(agents, envs, *post)``.

    A weight that feeds several neurons (convolution) gets their mean; one that feeds none gets 0. So a reward per output
    neuron is exact on every synapse that does not share weights, and elsewhere as a `gate` of the window it belongs to.
    """
    validate.axes(
        "per_post", per_post, agents=None, envs=None, **{f"post{i}": n for i, n in enumerate(synapse.post_shape)}
    )
    agents, envs = per_post.shape[:2]
    ones = per_post.new_ones(1, agents, envs, *synapse.pre_shape)
    users = synapse.hebb(torch.ones_like(per_post)[None], ones)
    return synapse.hebb(per_post[None], ones) / users.clamp(min=1.0)
