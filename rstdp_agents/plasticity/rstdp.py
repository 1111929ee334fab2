"""R-STDP (MSTDP) and R-STDP-ET (MSTDPET): Florian 2007, "Reinforcement learning through modulation of STDP"."""

from __future__ import annotations

from dataclasses import dataclass

from rstdp_agents import validate
from rstdp_agents.plasticity.base import PairRule
from rstdp_agents.traces import decay


@dataclass(frozen=True)
class RSTDP(PairRule):
    """Reward times the spike pairs of the window it follows:  dw = lr m sum_t zeta(t)."""


@dataclass(frozen=True)
class RSTDPET(PairRule):
    """Reward times a decaying trace of spike pairs:  z <- z exp(-dt / tau_e) + zeta / tau_e;  dw = lr m z."""

    tau_e: float = 45.0
    """Time constant of the eligibility trace (ms)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.positive("tau_e", self.tau_e, "ms")

    @property
    def gain(self) -> float:
        return 1.0 / self.tau_e

    def decays(self, ticks: int, dt: float) -> tuple[float, float]:
        return decay(self.tau_e, dt), decay(self.tau_e, ticks * dt)
