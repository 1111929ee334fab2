"""The adaptive exponential integrate-and-fire neuron: one tick of it."""

from __future__ import annotations

from typing import NamedTuple

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, exp, like, where


class AdExConstants(NamedTuple):
    """What a tick computes with: the settings of `adex.AdEx` for ticks of one length."""

    c: float
    g_l: float
    e_l: float
    v_t: float
    delta_t: float
    a: float
    tau_w: float
    b: float
    v_r: float
    v_peak: float
    noise: float
    """Width of the logistic noise of a tick, in units of the current."""
    lift: float
    """v_t - e_l (mV)."""
    pa: float
    """A current of 1 (pA)."""
    steps: int
    """Steps of integration in a tick."""
    h: float
    """Their length (ms)."""


@equation
def adex_tick(v: Value, w: Value, i: Value, v_t: Value, p: AdExConstants) -> tuple[Value, ...]:
    """One tick of a neuron, by Euler's method.

        C dv/dt = -g_l (v - e_l) + g_l delta_t exp((v - v_t) / delta_t) - w + i,  tau_w dw/dt = a (v - e_l) - w

    Where v reaches v_peak there is a spike, v <- v_r and w <- w + b; one at most counts in a tick. v, v_t (mV), w and i (pA): all
    of one shape. Returns spike (0 or 1), v and w after the tick. After Brette and Gerstner (2005).
    """
    spike = like(0, v)
    for _ in range(p.steps):
        upstroke = exp((v - v_t) * (1.0 / p.delta_t)) * (p.g_l * p.delta_t)
        dv, dw = (upstroke - (v - p.e_l) * p.g_l - w + i) * (1.0 / p.c), ((v - p.e_l) * p.a - w) * (1.0 / p.tau_w)
        v, w = v + dv * p.h, w + dw * p.h
        peak = v >= p.v_peak
        v, w, spike = where(peak, like(p.v_r, v), v), where(peak, w + p.b, w), where(peak, like(1, v), spike)
    return spike, v, w
