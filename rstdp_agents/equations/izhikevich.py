"""Izhikevich's neuron: a step of its dynamics, and one tick."""

from __future__ import annotations

from typing import NamedTuple

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, like, where


class IzhikevichConstants(NamedTuple):
    """What a tick computes with: the settings of `izhikevich.Izhikevich` for ticks of one length."""

    a: float
    b: float
    c: float
    d: float
    v_peak: float
    noise: float
    """Width of the logistic noise of a tick, in units of the current."""
    lift: float
    unit: float
    """A current of 1 (mV/ms)."""
    steps: int
    """Steps of integration in a tick."""
    h: float
    """Their length (ms)."""


@equation
def izhikevich_step(v: Value, u: Value, current: Value, h: Value, a: Value, b: Value) -> tuple[Value, ...]:
    """A step of ``h`` ms of Izhikevich's neuron, by Euler's method, before it fires.

        dv/dt = 0.04 v^2 + 5 v + 140 - u + current,  du/dt = a (b v - u)

    v (mV), u and current (mV/ms), a and b (1/ms): all of one shape. After Izhikevich (2003).
    """
    return v + h * ((0.04 * v + 5.0) * v + 140.0 - u + current), u + h * (a * (b * v - u))


@equation
def izhikevich_tick(v: Value, u: Value, current: Value, v_peak: Value, p: IzhikevichConstants) -> tuple[Value, ...]:
    """One tick of a neuron, in steps of `izhikevich_step`.

    Where v reaches v_peak there is a spike, v <- c and u <- u + d; one at most counts in a tick. v, v_peak (mV), u and current
    (mV/ms): all of one shape. Returns spike (0 or 1), v and u after the tick.
    """
    spike = like(0, v)
    for _ in range(p.steps):
        v, u = izhikevich_step(v, u, current, p.h, p.a, p.b)
        peak = v >= v_peak
        v, u, spike = where(peak, like(p.c, v), v), where(peak, u + p.d, u), where(peak, like(1, v), spike)
    return spike, v, u
