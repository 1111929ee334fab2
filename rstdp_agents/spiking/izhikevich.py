"""Izhikevich's neurons (Izhikevich 2003, "Simple model of spiking neurons")."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import repeat
from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.izhikevich import IzhikevichConstants, izhikevich_tick
from rstdp_agents.equations.neuron import logistic_width, noise_of_current
from rstdp_agents.spiking.neurons import scanned

STEP = 0.5
"""Longest step of integration (ms), forward Euler, as in the paper."""


class IzhikevichState(NamedTuple):
    """State of a layer between ticks, both ``(agents, envs, *post)``."""

    v: Tensor
    """Membrane potential (mV)."""
    u: Tensor
    """Recovery (mV/ms)."""


@dataclass(frozen=True)
class Izhikevich:
    """dv/dt = 0.04 v^2 + 5 v + 140 - u + I;  du/dt = a (b v - u)  (mV, ms); by default a regular spiking neuron.

    Where v reaches v_peak there is a spike, v <- c and u <- u + d. A current of 1 lifts v by ``lift`` within a tick, about from
    rest to threshold: I = current lift / dt. Homeostasis of the threshold lowers v_peak in the same unit.
    """

    a: float = 0.02
    """Rate of the recovery (1/ms)."""
    b: float = 0.2
    """Sensitivity of the recovery to v (1/ms)."""
    c: float = -65.0
    """Potential after a spike (mV)."""
    d: float = 8.0
    """Recovery added by a spike (mV/ms)."""
    v_peak: float = 30.0
    """Potential of a spike (mV)."""
    lift: float = 20.0
    """By how much a current of 1 lifts the potential in a tick (mV)."""
    noise: float = 0.4
    """Standard deviation of the noise of each tick, in units of the current."""

    def __post_init__(self) -> None:
        validate.positive("lift", self.lift, "mV")
        validate.ordered("c", self.c, "v_peak", self.v_peak)
        validate.not_negative("noise", self.noise)

    def start(self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> IzhikevichState:
        """As `Neuron.start`: v at c and u at b c."""
        v = torch.full(shape, self.c, device=device, dtype=dtype)
        return IzhikevichState(v, self.b * v)

    def window(
        self, current: Tensor, uniform: Tensor, lowered: Tensor | float, state: IzhikevichState, dt: float
    ) -> tuple[Tensor, IzhikevichState]:
        """As `Neuron.window`."""
        p = self.constants(dt)
        noisy = (current + noise_of_current(uniform, p.noise)) * p.unit
        return scanned(izhikevich_tick, noisy, repeat(p.v_peak - p.lift * lowered), state, p)

    def constants(self, dt: float) -> IzhikevichConstants:
        """What compiled code computes with, for ticks of ``dt`` ms."""
        steps = math.ceil(dt / STEP)
        return IzhikevichConstants(
            self.a,
            self.b,
            self.c,
            self.d,
            self.v_peak,
            logistic_width(self.noise),
            self.lift,
            self.lift / dt,
            steps,
            dt / steps,
        )
