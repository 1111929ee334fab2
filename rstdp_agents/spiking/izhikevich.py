"""Izhikevich's neurons (Izhikevich 2003, "Simple model of spiking neurons")."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.neuron import izhikevich_step
from rstdp_agents.spiking.neurons import logistic

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
        drive, ticks = (current + logistic(uniform, self.noise)) * (self.lift / dt), []
        for i in drive:
            spikes, state = self.tick(i, self.v_peak - self.lift * lowered, state, dt)
            ticks.append(spikes)
        return torch.stack(ticks), state

    def tick(
        self, i: Tensor, v_peak: Tensor | float, state: IzhikevichState, dt: float
    ) -> tuple[Tensor, IzhikevichState]:
        """One tick of ``dt`` ms under the current ``i`` (mV/ms): one spike at most counts, and the state after it."""
        (v, u), spiked, steps = state, torch.zeros_like(i, dtype=torch.bool), math.ceil(dt / STEP)
        h = dt / steps
        for _ in range(steps):
            v, u = izhikevich_step(v, u, i, h, self.a, self.b)
            peak = v >= v_peak
            v, u, spiked = torch.where(peak, self.c, v), torch.where(peak, u + self.d, u), spiked | peak
        return spiked.to(i.dtype), IzhikevichState(v, u)
