"""What compiled code computes with of a rule."""

from __future__ import annotations

from typing import NamedTuple

from rstdp_agents.spiking.plasticity.base import PairRule
from rstdp_agents.spiking.plasticity.dependence import Dependence, GapToBound
from rstdp_agents.spiking.plasticity.reward_switch import RewardSwitch


class RuleConstants(NamedTuple):
    """A `PairRule`, for ticks and windows of one length."""

    decay_x: float
    """Of the presynaptic trace per tick."""
    decay_y: float
    """Of the postsynaptic trace per tick."""
    decay_z: float
    """Of the eligibility per window."""
    gain: float
    """Weight with which spike pairs enter the eligibility."""
    switches: bool
    """Whether the sign of the modulator picks amplitudes."""
    zero_punishes: bool
    nearest: bool
    """Whether spikes set traces to 1, so that only the nearest pair."""
    mu_plus: float
    """Of `dependence.GapToBound`, for pre-before-post pairs."""
    mu_minus: float
    """The same for post-before-pre pairs."""


def rule_constants(rule: PairRule, ticks: int, dt: float) -> RuleConstants:
    """Constants of a rule for windows of ``ticks`` ticks of ``dt`` ms."""
    switch = rule if isinstance(rule, RewardSwitch) else None
    return RuleConstants(
        *rule.trace_decays(dt), rule.decays(ticks, dt)[1], rule.gain(dt),
        switches=switch is not None, zero_punishes=switch is not None and switch.zero_punishes, nearest=rule.on_spike == "set",
        mu_plus=_power(rule.f_post), mu_minus=_power(rule.f_pre),
    )  # fmt: skip


def _power(f: Dependence | None) -> float:
    """The power of a weight's gap to its bound; 0 where pairs count alike, or depend on the weight in another way."""
    return f.mu if isinstance(f, GapToBound) else 0.0
