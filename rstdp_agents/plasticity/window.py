"""Spike pairs of a whole window in one contraction.

Inside a window the weights stand still (the reward is only known after the action), so the eligibility

    z(T) = decay(T) z(0) + gain sum_t alpha^(T-1-t) [ A_plus post(t) x(t) + A_minus y(t) pre(t) ]

is linear in the post spikes. Written with the postsynaptic trace y turned around in time (an anti-causal trace of pre), both
halves share the factor post(s), and the whole sum is `synapse.hebb(post, K pre)` with one ``(ticks + 1, ticks)`` matrix K.
The extra row carries the pairs with post spikes of earlier windows, through y(0). ``ticks = 1`` is the per-tick form of
the papers.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.plasticity.base import PairRule
from rstdp_agents.synapses import Synapse
from rstdp_agents.traces import along_ticks, decay, powers, trace_kernel


class PairState(NamedTuple):
    """What a projection remembers between windows, per env."""

    x: Tensor
    """Presynaptic trace ``(agents, envs, *pre)``."""
    y: Tensor
    """Postsynaptic trace ``(agents, envs, *post)``."""
    z: tuple[Tensor, ...]
    """Eligibility of each half, ``(agents, envs, *weight)``."""


class PairKernels(NamedTuple):
    """Constants of a rule for windows of one length, made once by `pair_kernels`."""

    halves: tuple[Tensor, ...]
    """One ``(ticks + 1, ticks)`` matrix per half: from pre spikes to the pre factor of each post spike and of y(0)."""
    carry: tuple[Tensor, ...]
    """One ``(ticks + 1,)`` vector per half: weight of x(0) in those pre factors."""
    last_x: Tensor
    """``(1, ticks)``: from pre spikes to what they leave in x."""
    last_y: Tensor
    """``(1, ticks)``: from post spikes to what they leave in y."""
    decay_x: float
    decay_y: float
    decay_z: float
    gain: float


def pair_kernels(rule: PairRule, ticks: int, dt: float, device: torch.device, dtype: torch.dtype) -> PairKernels:
    """Constants of ``rule`` for windows of ``ticks`` ticks of ``dt`` ms."""
    d_plus, d_minus = decay(rule.tau_plus, dt), decay(rule.tau_minus, dt)
    per_tick, per_window = rule.decays(ticks, dt)
    late = powers(per_tick, 0, ticks).flip(0)[:, None]
    causal = torch.cat([late * trace_kernel(ticks, d_plus), torch.zeros(1, ticks, dtype=torch.float64)])
    anticausal = torch.cat([(late * trace_kernel(ticks, d_minus)).T, (late[:, 0] * powers(d_minus, 1, ticks))[None]])
    from_x0 = torch.cat([late[:, 0] * powers(d_plus, 1, ticks), torch.zeros(1, dtype=torch.float64)])

    def constant(matrix: Tensor) -> Tensor:
        return matrix.to(device=device, dtype=dtype)

    return PairKernels(
        halves=tuple(constant(plus * causal + minus * anticausal) for plus, minus in rule.halves),
        carry=tuple(constant(plus * from_x0) for plus, _ in rule.halves),
        last_x=constant(powers(d_plus, 0, ticks).flip(0)[None]),
        last_y=constant(powers(d_minus, 0, ticks).flip(0)[None]),
        decay_x=d_plus**ticks,
        decay_y=d_minus**ticks,
        decay_z=per_window,
        gain=rule.gain,
    )


def pair_init(
    synapse: Synapse, rule: PairRule, agents: int, envs: int, device: torch.device, dtype: torch.dtype
) -> PairState:
    """No spikes seen, nothing eligible."""

    def zeros(shape: tuple[int, ...]) -> Tensor:
        return torch.zeros(agents, envs, *shape, device=device, dtype=dtype)

    z = tuple(zeros(synapse.weight_shape) for _ in rule.halves)
    return PairState(zeros(synapse.pre_shape), zeros(synapse.post_shape), z)


def pair_window(
    synapse: Synapse, k: PairKernels, pre: Tensor, post: Tensor, state: PairState, gate: Tensor | None = None
) -> PairState:
    """State after a window of spikes.

    pre: ``(ticks, agents, envs, *pre)``. post: ``(ticks, agents, envs, *post)``. gate: ``(agents, envs, *post)``, factor
    of each output neuron's pairs in this window (what the agent did; see `decoders`), or None for all of them alike.
    Writes the eligibility in place.
    """
    post_factor = torch.cat([post, state.y[None]])
    if gate is not None:
        post_factor = post_factor * gate
    for z, kernel, carry in zip(state.z, k.halves, k.carry, strict=True):
        pre_factor = along_ticks(kernel, pre) + carry.reshape(-1, *[1] * state.x.ndim) * state.x
        z.mul_(k.decay_z).add_(synapse.hebb(post_factor, pre_factor), alpha=k.gain)
    x = along_ticks(k.last_x, pre)[0].add_(state.x, alpha=k.decay_x)
    y = along_ticks(k.last_y, post)[0].add_(state.y, alpha=k.decay_y)
    return PairState(x, y, state.z)
