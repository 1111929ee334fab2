"""Trace STDP with a presynaptic target, for any synapse: no reward, a decay, and a clip just inside the bounds."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.three_factor import spike_pairs
from rstdp_agents.spiking.plasticity.stdp import pair_terms
from rstdp_agents.spiking.reductions import Reduction, add_envs
from rstdp_agents.spiking.synapses import Synapse


@dataclass(frozen=True)
class TraceSTDPParams:
    """Constants of `trace_stdp` and `trace_stdp_update`."""

    a_plus: float = 1.0
    """Amplitude at output spikes."""
    a_minus: float = 1.0
    """Amplitude at input spikes; the minus sign is in the rule."""
    x_target: float = 0.0
    """Presynaptic trace that leaves the weight alone at an output spike; a smaller one depresses it."""
    weight_decay: float = 0.0
    """Share of the weight that is lost at every update, whatever the learning rate."""
    w_max: float = 0.0
    """Upper bound on the weights; 0 for none."""
    margin: float = 0.01
    """Distance that a bounded weight keeps from 0 and from `w_max`."""

    def __post_init__(self) -> None:
        validate.not_negative("weight_decay", self.weight_decay)
        validate.not_negative("w_max", self.w_max)
        if self.w_max > 0:
            validate.ordered("margin", self.margin, "w_max - margin", self.w_max - self.margin)


def trace_stdp(
    synapse: Synapse, pre: Tensor, post: Tensor, x: Tensor, y: Tensor, p: TraceSTDPParams, reduce: Reduction = add_envs
) -> Tensor:
    """Raw change: dw = a_plus <x - x_target, post> - a_minus <pre, y>, reduced over envs: ``(agents, *weight)``.

    Shapes as in `stdp.pair_terms`; the traces may come from anywhere.
    """
    return reduce(spike_pairs(*pair_terms(synapse, pre, post, x - p.x_target, y), p.a_plus, p.a_minus), 1)


def trace_stdp_update(weight: Tensor, dw: Tensor, lr: float, p: TraceSTDPParams) -> None:
    """In place: w <- w + lr dw - weight_decay w, then clipped to [margin, w_max - margin] if there is a bound."""
    weight.mul_(1.0 - p.weight_decay).add_(dw, alpha=lr)
    if p.w_max > 0:
        weight.clamp_(p.margin, p.w_max - p.margin)
