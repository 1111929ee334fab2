"""From eligibility and third factor to the weight: the only place where reward writes a weight."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.three_factor import weight_step
from rstdp_agents.spiking.reductions import Reduction, mean_envs


def modulate(z: tuple[Tensor, ...], factors: tuple[Tensor, ...], reduce: Reduction = mean_envs) -> Tensor:
    """Three-factor update of each agent:  reduction over envs of  sum_terms factor * z.

    z: ``(agents, envs, *weight)`` per term. factors: per term, ``(agents, envs)``, or one for every weight of the shape
    of z (see `reductions.per_weight`). Returns ``(agents, *weight)``.
    """
    checked = [factor_like(m, e) for m, e in zip(factors, z, strict=True)]
    agents, envs = z[0].shape[:2]
    if reduce is not mean_envs or checked[0].numel() != agents * envs:
        shares = [m * e for m, e in zip(checked, z)]
        return reduce(sum(shares[1:], shares[0]), 1)
    shares = [(m.reshape(agents, 1, envs) @ e.reshape(agents, envs, -1))[:, 0] for m, e in zip(checked, z)]
    return sum(shares[1:], shares[0]).div_(envs).reshape(agents, *z[0].shape[2:])


def add_modulated(weight: Tensor, z: tuple[Tensor, ...], factors: tuple[Tensor, ...]) -> None:
    """Add `modulate` of z to the weights, in place and in one pass over them; factors per term, ``(agents, envs)``."""
    agents, envs = z[0].shape[:2]
    rows = weight.view(agents, 1, -1)
    for m, term in zip(factors, z, strict=True):
        rows.baddbmm_(m[:, None], term.view(agents, envs, -1), alpha=1.0 / envs)


def modulate_parts(z: tuple[Tensor, ...], factors: tuple[Tensor, ...], reduce: Reduction) -> tuple[Tensor, Tensor]:
    """`modulate` with what raises and what lowers the weights apart, as soft bounds need them; both are magnitudes.

    Every term is split by sign in every env, then reduced over the envs. Returns two ``(agents, *weight)``.
    """
    shares = [factor_like(m, e) * e for m, e in zip(factors, z, strict=True)]
    pos = [reduce(share.clamp(min=0.0), 1) for share in shares]
    neg = [reduce((-share).clamp(min=0.0), 1) for share in shares]
    return sum(pos[1:], pos[0]), sum(neg[1:], neg[0])


def factor_like(m: Tensor, z: Tensor) -> Tensor:
    """``m (agents, envs)`` or of the shape of z, ready to multiply z; any other shape is refused."""
    if isinstance(m, Tensor) and m.shape == z.shape:
        return m
    validate.axes("m", m, agents=z.shape[0], envs=z.shape[1])
    return m.reshape(*m.shape, *[1] * (z.ndim - 2))


def apply_update(weight: Tensor, dw: Tensor, w_min: float, w_max: float) -> None:
    """Add ``dw`` to ``weight`` in place and keep every weight within the hard bounds [w_min, w_max]."""
    weight.copy_(weight_step(weight, dw, w_min, w_max))


def normalise(weight: Tensor, total: float, post_axis: int = 1) -> None:
    """Scale, in place, the absolute weights into each output neuron or channel to the sum ``total``; silent ones stay 0.

    weight: ``(agents, *weight)``. post_axis: axis of the outputs (1; transposed convolution: 2).
    """
    validate.positive("total", total)
    axes = [axis for axis in range(1, weight.ndim) if axis != post_axis]
    size = weight.abs().sum(axes, keepdim=True)
    weight.mul_(torch.where(size > 0, total / size, 1.0))
