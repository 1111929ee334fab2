"""What every reward-modulated rule is made of: pair amplitudes, an eligibility, and a third factor per term."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.traces import DECAY_FORMS, ON_SPIKE, DecayForm, OnSpike, decay_factor
from rstdp_agents.spiking.plasticity.dependence import Dependence


@dataclass(frozen=True)
class PairRule:
    """Spike pairs and how long they stay eligible; the part that all rules share.

        zeta = a_plus post x - a_minus y pre

    in every tick, with the traces x of pre (tau_plus) and y of post (tau_minus): a causal and an anti-causal term. A rule says
    which of them it keeps an eligibility of its own for (`terms`) and with what the modulator multiplies each (`factors`).
    """

    a_plus: float = 1.0
    """Amplitude of pre-before-post pairs."""
    a_minus: float = 0.0
    """Amplitude of post-before-pre pairs; the minus sign is in the rule."""
    tau_plus: float = 20.0
    """Time constant of the presynaptic trace x (ms)."""
    tau_minus: float = 20.0
    """Time constant of the postsynaptic trace y (ms)."""
    decay_form: DecayForm = "exponential"
    """Decay of x and y per tick: exp(-dt / tau), or 1 - dt / tau."""
    on_spike: OnSpike = "add"
    """A spike adds 1 to its trace (all pairs count), or sets it to 1 (only the nearest pair counts)."""
    f_post: Dependence | None = None
    """Factor f(w) on pre-before-post pairs; None for 1."""
    f_pre: Dependence | None = None
    """Factor f(w) on post-before-pre pairs; None for 1."""
    keep_apart: bool = False
    """Keep an eligibility for each of the two terms, as soft bounds need (see `update.modulate_parts`)."""

    def __post_init__(self) -> None:
        validate.not_negative("a_plus", self.a_plus)
        validate.not_negative("a_minus", self.a_minus)
        validate.positive("tau_plus", self.tau_plus, "ms")
        validate.positive("tau_minus", self.tau_minus, "ms")
        validate.one_of("decay_form", self.decay_form, DECAY_FORMS)
        validate.one_of("on_spike", self.on_spike, ON_SPIKE)

    @property
    def needs_scan(self) -> bool:
        """Whether a window's pairs cannot be read from its spikes by one matrix (see `window`)."""
        return self.on_spike == "set" or self.depends_on_weight

    @property
    def depends_on_weight(self) -> bool:
        """Whether spike pairs count by the size of their weight."""
        return self.f_post is not None or self.f_pre is not None

    def trace_decays(self, dt: float) -> tuple[float, float]:
        """Decay of x and of y per tick of ``dt`` ms."""
        return decay_factor(self.decay_form, self.tau_plus, dt), decay_factor(self.decay_form, self.tau_minus, dt)

    def gain(self, dt: float) -> float:
        """Weight with which zeta enters the eligibility."""
        return 1.0

    def decays(self, ticks: int, dt: float) -> tuple[float, float]:
        """Decay of the eligibility per tick inside a window, and of the old eligibility over the whole window.

        Without an eligibility trace a window's pairs are summed undecayed and the last window's are forgotten.
        """
        return 1.0, 0.0

    @property
    def terms(self) -> tuple[tuple[float, float], ...]:
        """Amplitudes (causal, anti-causal) of each eligibility that the rule keeps; one if it keeps the sum of both terms."""
        if self.keep_apart:
            return (self.a_plus, 0.0), (0.0, -self.a_minus)
        return ((self.a_plus, -self.a_minus),)

    def factors(self, m: Tensor) -> tuple[Tensor, ...]:
        """Third factor of each term, from the modulator ``m (agents, envs)``."""
        return (m,) * len(self.terms)
