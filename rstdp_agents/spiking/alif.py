"""Leaky integrate-and-fire neurons with adaptive thresholds, the LSNN of Bellec and others (2018)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.alif import ALIFConstants, alif_tick
from rstdp_agents.equations.neuron import Escape, LIFParams, lif_constants, noisy_threshold
from rstdp_agents.equations.traces import decay
from rstdp_agents.spiking.neurons import scanned


class ALIFState(NamedTuple):
    """State of a layer between ticks, both ``(agents, envs, *post)``."""

    v: Tensor
    """Membrane potential."""
    raised: Tensor
    """By how much the neuron's own spikes have raised its threshold."""


@dataclass(frozen=True)
class ALIF:
    """`neurons.LIF` whose threshold jumps up with every spike and comes back slowly, in place of a pause after each.

    A threshold that outlasts an env step is a memory: with `fresh_each_window` it begins anew in each. Voltages are in units of
    the distance from rest to threshold; where it is not said otherwise, as in `LIFParams`.
    """

    tau_m: float = LIFParams.tau_m
    v_th: float = LIFParams.v_th
    v_rest: float = LIFParams.v_rest
    v_reset: float = LIFParams.v_reset
    escape_noise: float = LIFParams.escape_noise
    escape: Escape = LIFParams.escape
    escape_rate: float = LIFParams.escape_rate
    threshold_jump: float = 0.2
    """By how much a spike raises the threshold."""
    tau_threshold: float = 100.0
    """Time constant with which the threshold comes back (ms)."""

    def __post_init__(self) -> None:
        self._lif()
        validate.not_negative("threshold_jump", self.threshold_jump)
        validate.positive("tau_threshold", self.tau_threshold, "ms")

    def start(self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> ALIFState:
        """As `Neuron.start`: v at rest, the threshold where it is without spikes."""
        v = torch.full(shape, self.v_rest, device=device, dtype=dtype)
        return ALIFState(v, torch.zeros_like(v))

    def window(
        self, current: Tensor, uniform: Tensor, lowered: Tensor | float, state: ALIFState, dt: float
    ) -> tuple[Tensor, ALIFState]:
        """As `Neuron.window`."""
        p = self.constants(dt)
        return scanned(alif_tick, current, noisy_threshold(uniform, p.lif) - lowered, state, p)

    def constants(self, dt: float) -> ALIFConstants:
        """What compiled code computes with, for ticks of ``dt`` ms."""
        return ALIFConstants(lif_constants(self._lif(), dt), decay(self.tau_threshold, dt), self.threshold_jump)

    def _lif(self) -> LIFParams:
        return LIFParams(
            self.tau_m, self.v_th, self.v_rest, self.v_reset, 0.0, self.escape_noise, self.escape, self.escape_rate
        )  # fmt: skip
