"""Reward-switch STDP: the sign of the modulator picks the amplitudes, its size plays no part."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.three_factor import switch_factor
from rstdp_agents.spiking.plasticity.rstdp import RSTDPET


@dataclass(frozen=True)
class RewardSwitch(RSTDPET):
    """An eligibility as of `RSTDPET`, times an amplitude by the sign of the modulator.

        dw = lr A(sign m) z

    Causal and anti-causal term have an eligibility and amplitudes of their own: ``a_plus`` and ``a_minus`` for m > 0, their
    punished pair for m < 0.
    Punishment reverses the sign of both terms; m = 0 changes nothing. With ``on_spike = "set"``, ``zero_punishes`` and no
    eligibility trace (windows of one tick, ``tau_e`` far below dt) this is SPAIC's RewardSwitchSTDP.
    """

    a_plus_punished: float = 1.0
    """Amplitude of pre-before-post pairs under punishment."""
    a_minus_punished: float = 0.0
    """Amplitude of post-before-pre pairs under punishment."""
    zero_punishes: bool = False
    """Take m = 0 for punishment, as the source does; by default it changes nothing."""

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.not_negative("a_plus_punished", self.a_plus_punished)
        validate.not_negative("a_minus_punished", self.a_minus_punished)

    @property
    def terms(self) -> tuple[tuple[float, float], ...]:
        return ((1.0, 0.0), (0.0, -1.0)) if self.a_minus or self.a_minus_punished else ((1.0, 0.0),)

    def factors(self, m: Tensor) -> tuple[Tensor, ...]:
        plus = switch_factor(m, self.a_plus, -self.a_plus_punished, self.zero_punishes)
        minus = switch_factor(m, self.a_minus, -self.a_minus_punished, self.zero_punishes)
        return (plus, minus)[: len(self.terms)]
