"""Spike-timing dependent plasticity: the causal and the anti-causal term that every rule is made of."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.three_factor import spike_pairs
from rstdp_agents.equations.traces import decay
from rstdp_agents.spiking.plasticity.dependence import Dependence
from rstdp_agents.spiking.synapses import Synapse

GainForm = Literal["1/tau", "dt/tau", "1-decay"]
GAIN_FORMS: tuple[str, ...] = get_args(GainForm)


class PairTerms(NamedTuple):
    """What spike pairs did to every weight and env, ``(agents, envs, *weight)``; both are magnitudes, not changes."""

    causal: Tensor
    """Pre before post: post(t) x(t)."""
    anticausal: Tensor
    """Post before pre: y(t) pre(t)."""


def pair_terms(synapse: Synapse, pre: Tensor, post: Tensor, x: Tensor, y: Tensor) -> PairTerms:
    """Coincidences of spikes with the other side's trace, summed over ticks.

    pre, x: ``(ticks, agents, envs, *pre)``. post, y: ``(ticks, agents, envs, *post)``; traces hold their tick's spike.
    """
    return PairTerms(synapse.hebb(post, x), synapse.hebb(y, pre))


def coincidence(
    terms: PairTerms, weight: Tensor, f_post: Dependence, f_pre: Dependence, a_plus: float = 1.0, a_minus: float = 1.0
) -> Tensor:
    """Signed pairs: zeta = a_plus f_post(w) causal - a_minus f_pre(w) anticausal, ``(agents, envs, *weight)``.

    weight: ``(agents, *weight)``, as it is when the pairs happen.
    """
    causal, anticausal = f_post(weight)[:, None] * terms.causal, f_pre(weight)[:, None] * terms.anticausal
    return spike_pairs(causal, anticausal, a_plus, a_minus)


def eligibility_gain(form: GainForm, tau_e: float, dt: float) -> float:
    """Weight with which zeta enters the eligibility trace (ms).

    ``1/tau`` is Florian's, ``dt/tau`` makes z independent of dt in size, ``1-decay`` makes it a weighted mean of zeta.
    """
    validate.one_of("gain_form", form, GAIN_FORMS)
    if form == "1-decay":
        return 1.0 - decay(tau_e, dt)
    return (1.0 if form == "1/tau" else dt) / tau_e
