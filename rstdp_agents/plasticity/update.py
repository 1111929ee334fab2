"""From eligibility and third factor to the weight: the only place where reward writes a weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from rstdp_agents import validate
from rstdp_agents.synapses import Synapse

Reduction: TypeAlias = Callable[[Tensor, int], Tensor]
"""Takes a tensor and the axis of the envs, returns it without that axis: `mean_envs`, `add_envs`, `torch.amax` ..."""


def mean_envs(tensor: Tensor, axis: int) -> Tensor:
    """Mean over the envs: what an agent learns does not grow with their number."""
    return tensor.mean(axis)


def add_envs(tensor: Tensor, axis: int) -> Tensor:
    """Sum over the envs: each counts in full."""
    return tensor.sum(axis)


def modulate(z: tuple[Tensor, ...], factors: tuple[Tensor, ...], reduce: Reduction = mean_envs) -> Tensor:
    """Three-factor update of each agent:  reduction over envs of  sum_halves factor * z.

    z: ``(agents, envs, *weight)`` per half. factors: per half, ``(agents, envs)``, or one for every weight of the shape
    of z (see `per_weight`). Returns ``(agents, *weight)``.
    """
    if reduce is not mean_envs or factors[0].shape == z[0].shape:
        shares = [factor_like(m, e) * e for m, e in zip(factors, z, strict=True)]
        return reduce(sum(shares[1:], shares[0]), 1)
    agents, envs = z[0].shape[:2]
    for m in factors:
        validate.axes("m", m, agents=agents, envs=envs)
    shares = [(m[:, None] @ e.reshape(agents, envs, -1))[:, 0] for m, e in zip(factors, z, strict=True)]
    return sum(shares[1:], shares[0]).div_(envs).reshape(agents, *z[0].shape[2:])


def modulate_parts(z: tuple[Tensor, ...], factors: tuple[Tensor, ...], reduce: Reduction) -> tuple[Tensor, Tensor]:
    """`modulate` with what raises and what lowers the weights apart, as soft bounds need them; both are magnitudes.

    Every half is split by sign in every env, then reduced over the envs. Returns two ``(agents, *weight)``.
    """
    shares = [factor_like(m, e) * e for m, e in zip(factors, z, strict=True)]
    pos = [reduce(share.clamp(min=0.0), 1) for share in shares]
    neg = [reduce((-share).clamp(min=0.0), 1) for share in shares]
    return sum(pos[1:], pos[0]), sum(neg[1:], neg[0])


def factor_like(m: Tensor, z: Tensor) -> Tensor:
    """``m (agents, envs)`` or of the shape of z, ready to multiply z; any other shape is refused."""
    if m.shape == z.shape:
        return m
    validate.axes("m", m, agents=z.shape[0], envs=z.shape[1])
    return m.reshape(*m.shape, *[1] * (z.ndim - 2))


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


def apply_update(weight: Tensor, dw: Tensor, w_min: float, w_max: float) -> None:
    """Add ``dw`` to ``weight`` in place and keep every weight within the hard bounds [w_min, w_max]."""
    weight.add_(dw).clamp_(w_min, w_max)


def normalise(weight: Tensor, total: float, post_axis: int = 1) -> None:
    """Scale, in place, the absolute weights into each output neuron or channel to the sum ``total``; silent ones stay 0.

    weight: ``(agents, *weight)``. post_axis: axis of the outputs (1; transposed convolution: 2).
    """
    validate.positive("total", total)
    axes = [axis for axis in range(1, weight.ndim) if axis != post_axis]
    size = weight.abs().sum(axes, keepdim=True)
    weight.mul_(torch.where(size > 0, total / size, 1.0))
