"""Adaptive exponential integrate-and-fire neurons (Brette and Gerstner 2005, "Adaptive exponential integrate-and-fire model")."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.adex import AdExConstants, adex_tick
from rstdp_agents.equations.neuron import logistic_width, noise_of_current
from rstdp_agents.spiking.neurons import scanned

STEP = 0.25
"""Longest step of integration (ms), forward Euler."""


class AdExState(NamedTuple):
    """State of a layer between ticks, both ``(agents, envs, *post)``."""

    v: Tensor
    """Membrane potential (mV)."""
    w: Tensor
    """Adaptation current (pA)."""


@dataclass(frozen=True)
class AdEx:
    """C dv/dt = -g_l (v - e_l) + g_l delta_t exp((v - v_t) / delta_t) - w + I;  tau_w dw/dt = a (v - e_l) - w.

    Where v reaches v_peak there is a spike, v <- v_r and w <- w + b. A current of 1 charges the membrane from e_l to v_t within a
    tick: I = current C (v_t - e_l) / dt; homeostasis lowers v_t in the same unit. Constants as in the paper.
    """

    c: float = 281.0
    """Membrane capacitance (pF)."""
    g_l: float = 30.0
    """Leak conductance (nS)."""
    e_l: float = -70.6
    """Leak reversal potential (mV)."""
    v_t: float = -50.4
    """Threshold potential (mV)."""
    delta_t: float = 2.0
    """Slope factor (mV)."""
    a: float = 4.0
    """Subthreshold adaptation (nS)."""
    tau_w: float = 144.0
    """Time constant of the adaptation (ms)."""
    b: float = 80.5
    """Adaptation of a spike (pA)."""
    v_r: float = -70.6
    """Potential after a spike (mV)."""
    v_peak: float = 0.0
    """Potential of a spike (mV)."""
    noise: float = 0.4
    """Standard deviation of the noise of each tick, in units of the current."""

    def __post_init__(self) -> None:
        for name, unit in (("c", "pF"), ("g_l", "nS"), ("delta_t", "mV"), ("tau_w", "ms")):
            validate.positive(name, getattr(self, name), unit)
        validate.ordered("e_l", self.e_l, "v_t", self.v_t)
        validate.not_negative("noise", self.noise)

    def start(self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> AdExState:
        """As `Neuron.start`: v at e_l, without adaptation."""
        v = torch.full(shape, self.e_l, device=device, dtype=dtype)
        return AdExState(v, torch.zeros_like(v))

    def window(
        self, current: Tensor, uniform: Tensor, lowered: Tensor | float, state: AdExState, dt: float
    ) -> tuple[Tensor, AdExState]:
        """As `Neuron.window`."""
        p = self.constants(dt)
        noisy = (current + noise_of_current(uniform, p.noise)) * p.pa
        return scanned(adex_tick, noisy, repeat(p.v_t - p.lift * lowered), state, p)

    def constants(self, dt: float) -> AdExConstants:
        """What compiled code computes with, for ticks of ``dt`` ms."""
        lift, steps = self.v_t - self.e_l, math.ceil(dt / STEP)
        return AdExConstants(
            self.c, self.g_l, self.e_l, self.v_t, self.delta_t, self.a, self.tau_w, self.b, self.v_r, self.v_peak,
            logistic_width(self.noise), lift, self.c * lift / dt, steps, dt / steps,
        )  # fmt: skip
