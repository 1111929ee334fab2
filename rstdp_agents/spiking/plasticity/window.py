"""Spike pairs of a whole window in one contraction.

Inside a window the weights stand still (the reward is only known after the action), so the eligibility

    z(T) = decay(T) z(0) + gain sum_t alpha^(T-1-t) [ A_plus post(t) x(t) + A_minus y(t) pre(t) ]

is linear in the post spikes. Written with the postsynaptic trace y turned around in time (an anti-causal trace of pre), both
terms share the factor post(s), and the whole sum is `synapse.hebb(post, K pre)` with one ``(ticks + 1, ticks)`` matrix K.
The extra row carries the pairs with post spikes of earlier windows, through y(0). ``ticks = 1`` is the per-tick form of
the papers. Traces that a spike sets are not linear in the spikes, and weight dependence needs both terms apart: then
the traces of all ticks are made first, and each term is one `synapse.hebb` over the window.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.three_factor import spike_pairs
from rstdp_agents.equations.traces import along_ticks, powers, trace_kernel, trace_set_window, trace_window
from rstdp_agents.spiking.plasticity.base import PairRule
from rstdp_agents.spiking.plasticity.stdp import PairTerms, pair_terms
from rstdp_agents.spiking.synapses import Synapse


class PairState(NamedTuple):
    """What a projection remembers between windows, per env."""

    x: Tensor
    """Presynaptic trace ``(agents, envs, *pre)``."""
    y: Tensor
    """Postsynaptic trace ``(agents, envs, *post)``."""
    z: tuple[Tensor, ...]
    """Eligibility of each term, ``(agents, envs, *weight)``."""


class PairKernels(NamedTuple):
    """Constants of a rule for windows of one length, made once by `pair_kernels`."""

    terms: tuple[Tensor, ...]
    """One ``(ticks + 1, ticks + 1)`` matrix per term: from pre spikes and x(0) to the pre factors of post spikes and y(0)."""
    last_x: Tensor
    """``(1, ticks + 1)``: from pre spikes and x(0) to x after the window."""
    last_y: Tensor
    """``(1, ticks + 1)``: from post spikes and y(0) to y after the window."""
    late: Tensor
    """``(ticks,)``: what is left at the end of the window of the pairs of each tick."""
    decays: tuple[float, float]
    """Decay of x and of y per tick."""
    decay_z: float
    """Decay of the eligibility over the window."""
    gain: float
    rule: PairRule


def pair_kernels(rule: PairRule, ticks: int, dt: float, device: torch.device, dtype: torch.dtype) -> PairKernels:
    """Constants of ``rule`` for windows of ``ticks`` ticks of ``dt`` ms."""
    d_plus, d_minus = rule.trace_decays(dt)
    per_tick, per_window = rule.decays(ticks, dt)
    late = powers(per_tick, 0, ticks).flip(0)[:, None]
    causal = torch.cat([late * trace_kernel(ticks, d_plus), torch.zeros(1, ticks, dtype=torch.float64)])
    anticausal = torch.cat([(late * trace_kernel(ticks, d_minus)).T, (late[:, 0] * powers(d_minus, 1, ticks))[None]])
    from_x0 = torch.cat([late[:, 0] * powers(d_plus, 1, ticks), torch.zeros(1, dtype=torch.float64)])

    def constant(matrix: Tensor) -> Tensor:
        return matrix.to(device=device, dtype=dtype)

    def last_of(decay: float) -> Tensor:
        return torch.cat([powers(decay, 0, ticks).flip(0), powers(decay, ticks, 1)])[None]

    return PairKernels(
        terms=tuple(
            constant(torch.cat([plus * causal + minus * anticausal, plus * from_x0[:, None]], 1))
            for plus, minus in rule.terms
        ),
        last_x=constant(last_of(d_plus)),
        last_y=constant(last_of(d_minus)),
        late=constant(late[:, 0]),
        decays=(d_plus, d_minus),
        decay_z=per_window,
        gain=rule.gain(dt),
        rule=rule,
    )


def pair_init(
    synapse: Synapse, rule: PairRule, agents: int, envs: int, device: torch.device, dtype: torch.dtype
) -> PairState:
    """No spikes seen, nothing eligible."""
    z = tuple(torch.zeros(agents, envs, *synapse.weight_shape, device=device, dtype=dtype) for _ in rule.terms)
    return traces_init(synapse, agents, envs, device, dtype)._replace(z=z)


def traces_init(synapse: Synapse, agents: int, envs: int, device: torch.device, dtype: torch.dtype) -> PairState:
    """No spikes seen, and no place for an eligibility."""
    x, y = (torch.zeros(agents, envs, *n, device=device, dtype=dtype) for n in (synapse.pre_shape, synapse.post_shape))
    return PairState(x, y, ())


def pair_window(
    synapse: Synapse, k: PairKernels, pre: Tensor, post: Tensor, state: PairState, gate: Tensor | None = None,
    weight: Tensor | None = None,
) -> PairState:  # fmt: skip
    """State after a window of spikes.

    pre: ``(ticks, agents, envs, *pre)``. post: ``(ticks, agents, envs, *post)``. gate: ``(agents, envs, *post)``, factor
    of each output neuron's pairs in this window (what the agent did, see `decoders`; or a reward per output neuron), or
    None for all of them alike. weight: ``(agents, *weight)``, for rules with weight dependence.
    Writes the eligibility in place.
    """
    _check(synapse, k, pre, post, state, gate)
    if k.rule.needs_scan:
        return _scanned_window(synapse, k, pre, post, state, gate, weight)
    pre_and_x, post_and_y = torch.cat([pre, state.x[None]]), torch.cat([post, state.y[None]])
    post_factor = post_and_y if gate is None else post_and_y * gate
    for z, kernel in zip(state.z, k.terms, strict=True):
        synapse.accumulate(z, post_factor, along_ticks(kernel, pre_and_x), k.decay_z, k.gain)
    return after_window(k, pre_and_x, post_and_y, state)


def after_window(k: PairKernels, pre_and_x: Tensor, post_and_y: Tensor, state: PairState) -> PairState:
    """The traces after a window; its spikes with the traces before it as the last row, ``(ticks + 1, ...)``."""
    return PairState(along_ticks(k.last_x, pre_and_x)[0], along_ticks(k.last_y, post_and_y)[0], state.z)


def pair_window_from_rest(
    synapse: Synapse, k: PairKernels, pre: Tensor, post: Tensor, z: tuple[Tensor, ...], gate: Tensor | None = None,
    weight: Tensor | None = None,
) -> None:  # fmt: skip
    """`pair_window` with spike traces that start at zero and are not kept: writes the eligibility z in place."""
    if k.rule.needs_scan:
        state = PairState(torch.zeros_like(pre[0]), torch.zeros_like(post[0]), z)
        pair_window(synapse, k, pre, post, state, gate, weight)
        return
    post_factor = post if gate is None else post * gate
    for term, kernel in zip(z, k.terms, strict=True):
        synapse.accumulate(term, post_factor, along_ticks(kernel[:-1, :-1], pre), k.decay_z, k.gain)


def _scanned_window(
    synapse: Synapse, k: PairKernels, pre: Tensor, post: Tensor, state: PairState, gate: Tensor | None,
    weight: Tensor | None,
) -> PairState:  # fmt: skip
    """`pair_window` through the traces of every tick, for any trace form and weight dependence."""
    rule, traces = k.rule, trace_set_window if k.rule.on_spike == "set" else trace_window
    x, y = traces(state.x, pre, k.decays[0]), traces(state.y, post, k.decays[1])
    factor = k.late.reshape(-1, *[1] * state.y.ndim) * (1.0 if gate is None else gate)
    terms = pair_terms(synapse, pre, factor * post, x, factor * y)
    if rule.depends_on_weight:
        if weight is None:
            raise ValueError("`weight` is needed by a rule with weight dependence (`f_post`, `f_pre`); received None")
        causal = terms.causal if rule.f_post is None else rule.f_post(weight)[:, None] * terms.causal
        anticausal = terms.anticausal if rule.f_pre is None else rule.f_pre(weight)[:, None] * terms.anticausal
        terms = PairTerms(causal, anticausal)
    for z, (plus, minus) in zip(state.z, rule.terms, strict=True):
        z.mul_(k.decay_z).add_(spike_pairs(*terms, plus, -minus), alpha=k.gain)
    return PairState(x[-1], y[-1], state.z)


def _check(synapse: Synapse, k: PairKernels, pre: Tensor, post: Tensor, state: PairState, gate: Tensor | None) -> None:
    """Refuse spikes, state and gate whose axes do not fit, before anything broadcasts."""
    ticks = k.late.shape[0]
    spikes_fit = pre.shape == (ticks, *state.x.shape) and post.shape == (ticks, *state.y.shape)
    if spikes_fit and (gate is None or gate.shape == state.y.shape):
        return
    inputs = {f"pre{i}": n for i, n in enumerate(synapse.pre_shape)}
    outputs = {f"post{i}": n for i, n in enumerate(synapse.post_shape)}
    validate.axes("pre", pre, ticks=ticks, agents=None, envs=None, **inputs)
    agents, envs = pre.shape[1:3]
    validate.axes("post", post, ticks=ticks, agents=agents, envs=envs, **outputs)
    validate.axes("state.x", state.x, agents=agents, envs=envs, **inputs)
    validate.axes("state.y", state.y, agents=agents, envs=envs, **outputs)
    if gate is not None:
        validate.axes("gate", gate, agents=agents, envs=envs, **outputs)
