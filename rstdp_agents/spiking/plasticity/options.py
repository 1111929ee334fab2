"""Settings of the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rstdp_agents.base import validate
from rstdp_agents.equations.traces import ON_SPIKE, OnSpike
from rstdp_agents.spiking.plasticity.dependence import GapToBound

RuleName = Literal["rstdp", "rstdp-et", "reward-switch"]


@dataclass(frozen=True)
class PlasticityConfig:
    """Spike pairs, eligibility and weights."""

    lr: float = 0.6
    """Learning rate: how much the drive by the same input changes, in units of the threshold, per unit of modulator and output
    spike, however many inputs there are and whatever the eligibility trace."""
    lr_halved_after: float = 0.0
    """Episodes after which the learning rate is halved: lr / (1 + episodes / this); 0 for never."""
    a_plus: float = 1.0
    """Amplitude of pre-before-post pairs."""
    a_minus: float = 0.0
    """Amplitude of post-before-pre pairs; above 0.3 it cancels the signal of a stationary input."""
    punished_plus: float = 1.0
    """Amplitude of pre-before-post pairs under punishment, as a factor of `a_plus` (reward-switch)."""
    punished_minus: float = 1.0
    """The same of post-before-pre pairs, as a factor of `a_minus`."""
    zero_punishes: bool = False
    """Take a modulator of exactly 0 for punishment (reward-switch); by default it changes nothing."""
    on_spike: OnSpike = "add"
    """A spike adds 1 to its trace (all pairs count), or sets it to 1 (only the nearest counts)."""
    tau_plus: float = 20.0
    """Time constant of the presynaptic trace (ms)."""
    tau_minus: float = 20.0
    """Time constant of the postsynaptic trace (ms)."""
    tau_e: float = 36.0
    """Time constant of the eligibility trace (ms of simulated time); rstdp has none and ignores it."""
    w_min: float = -1.0
    """Lower bound of the weights."""
    w_max: float = 1.0
    """Upper bound of the weights."""
    mu: float = 0.0
    """Updates shrink with the gap to the bound, as a share of w_max - w_min, to this power; 0: hard."""
    mu_plus: float = 0.0
    """Pre-before-post pairs count by the gap to w_max, likewise, to this power."""
    mu_minus: float = 0.0
    """Post-before-pre pairs count by the gap to w_min, likewise, to this power."""
    w_init: float = 0.01
    """Initial weights are uniform within +- this."""

    def __post_init__(self) -> None:
        validate.not_negative("lr", self.lr)
        validate.not_negative("lr_halved_after", self.lr_halved_after, "episodes")
        validate.ordered("w_min", self.w_min, "w_max", self.w_max)
        validate.not_negative("mu", self.mu)
        validate.not_negative("mu_plus", self.mu_plus)
        validate.not_negative("mu_minus", self.mu_minus)
        validate.not_negative("w_init", self.w_init)
        validate.not_negative("punished_plus", self.punished_plus)
        validate.not_negative("punished_minus", self.punished_minus)
        validate.one_of("on_spike", self.on_spike, ON_SPIKE)

    @property
    def f_post(self) -> GapToBound | None:
        """Factor on pre-before-post pairs."""
        return GapToBound(self.w_min, self.w_max, self.mu_plus, is_upper=True) if self.mu_plus > 0.0 else None

    @property
    def f_pre(self) -> GapToBound | None:
        """Factor on post-before-pre pairs."""
        return GapToBound(self.w_min, self.w_max, self.mu_minus, is_upper=False) if self.mu_minus > 0.0 else None

    @property
    def a_plus_punished(self) -> float:
        """Amplitude of pre-before-post pairs under punishment."""
        return self.a_plus * self.punished_plus

    @property
    def a_minus_punished(self) -> float:
        """Amplitude of post-before-pre pairs under punishment."""
        return self.a_minus * self.punished_minus
