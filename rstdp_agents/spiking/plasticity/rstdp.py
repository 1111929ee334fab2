"""R-STDP (MSTDP) and R-STDP-ET (MSTDPET): Florian 2007, "Reinforcement learning through modulation of STDP"."""

from __future__ import annotations

from dataclasses import dataclass

from rstdp_agents.base import validate
from rstdp_agents.equations.traces import decay
from rstdp_agents.spiking.plasticity.base import PairRule
from rstdp_agents.spiking.plasticity.stdp import GAIN_FORMS, GainForm, eligibility_gain


@dataclass(frozen=True)
class RSTDP(PairRule):
    """Reward times the spike pairs of the window it follows.

        z = sum of gate zeta over the window
        dw = lr m z

    zeta: spike pairs of a tick, as of `three_factor.spike_pairs`.
    """


@dataclass(frozen=True)
class RSTDPET(PairRule):
    """Reward times a decaying trace of spike pairs.

        z <- z exp(-dt / tau_e) + gate zeta / tau_e
        dw = lr m z

    zeta: spike pairs of a tick, as of `three_factor.spike_pairs`.
    """

    tau_e: float = 36.0
    """Time constant of the eligibility trace (ms)."""
    gain_form: GainForm = "1/tau"
    """Weight of new pairs: 1 / tau_e as in the paper, dt / tau_e, or 1 - exp(-dt / tau_e)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.positive("tau_e", self.tau_e, "ms")
        validate.one_of("gain_form", self.gain_form, GAIN_FORMS)

    def gain(self, dt: float) -> float:
        return eligibility_gain(self.gain_form, self.tau_e, dt)

    def decays(self, ticks: int, dt: float) -> tuple[float, float]:
        return decay(self.tau_e, dt), decay(self.tau_e, ticks * dt)
