"""Exponential traces: the only exponentials of time in the package.

A trace is a low-pass filtered spike train. Convention everywhere: **decay, then add**, so the trace of a tick already
holds the spike of that tick:  x(t) = decay * x(t - dt) + amplitude * spike(t).
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, where

DecayForm = Literal["exponential", "euler"]
OnSpike = Literal["add", "set"]
DECAY_FORMS: tuple[str, ...] = get_args(DecayForm)
ON_SPIKE: tuple[str, ...] = get_args(OnSpike)


def decay(tau: float, dt: float) -> float:
    """Factor by which a trace shrinks in one tick: exp(-dt / tau).

    ``tau`` and ``dt`` in ms; ``tau = 0`` is the limit of no memory and ``tau = inf`` of perfect memory.
    """
    return math.exp(-dt / tau) if tau > 0 else 0.0


def euler_decay(tau: float, dt: float) -> float:
    """First-order approximation of `decay`: 1 - dt / tau (ms); ``tau`` below ``dt`` would flip the trace's sign."""
    validate.require(tau >= dt, f"`tau` must be at least dt={dt} (ms) for an Euler decay; received {tau}")
    return 1.0 - dt / tau


def decay_factor(form: DecayForm, tau: float, dt: float) -> float:
    """`decay` or `euler_decay` (ms)."""
    validate.one_of("decay_form", form, DECAY_FORMS)
    return decay(tau, dt) if form == "exponential" else euler_decay(tau, dt)


@equation
def trace_step(trace: Value, spikes: Value, decay: Value, amplitude: Value = 1.0) -> Value:
    """Trace after one tick: it decays, then adds (all of one shape).

        x <- x exp(-dt / tau_plus) + pre       of every input neuron
        y <- y exp(-dt / tau_minus) + post     of every output neuron
        e <- gamma lambda e + phi              of every weight of the critic, per env step

    decay: the factor of the first term. amplitude: factor on what is added.
    """
    return trace * decay + amplitude * spikes


@equation
def trace_set(trace: Value, spikes: Value, decay: Value, amplitude: Value = 1.0) -> Value:
    """Trace after one tick that remembers only the last spike: ``amplitude`` at a spike (0/1), else ``decay * trace``."""
    return where(spikes > 0, amplitude * spikes, trace * decay)


def trace_kernel(ticks: int, decay: float, dtype: torch.dtype = torch.float64) -> Tensor:
    """Lower-triangular ``(ticks, ticks)`` matrix with ``decay ** (t - s)``: a whole window of traces in one matmul.

    Row t holds the weights with which the spikes of ticks s <= t enter the trace of tick t.
    """
    t = torch.arange(ticks, dtype=dtype)
    lag = t[:, None] - t[None, :]
    return torch.where(lag >= 0, torch.pow(torch.tensor(decay, dtype=dtype), lag.clamp(min=0)), torch.zeros_like(lag))


def powers(decay: float, first: int, count: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """``decay ** (first, first + 1, ..., first + count - 1)``, shape ``(count,)``; 0 ** 0 is 1."""
    return torch.pow(torch.tensor(decay, dtype=dtype), torch.arange(first, first + count, dtype=dtype))


def along_ticks(matrix: Tensor, spikes: Tensor) -> Tensor:
    """Apply a ``(rows, ticks)`` matrix to the leading axis of ``(ticks, ...)``: returns ``(rows, ...)``."""
    return (matrix @ spikes.reshape(spikes.shape[0], -1)).reshape(matrix.shape[0], *spikes.shape[1:])


def trace_window(trace: Tensor, spikes: Tensor, decay: float) -> Tensor:
    """Traces of every tick of a window (unit amplitude), equal to ``trace_step`` applied tick by tick.

    trace: ``(...)`` before the window. spikes: ``(ticks, ...)``. Returns ``(ticks, ...)``.
    """
    ticks = spikes.shape[0]
    kernel = trace_kernel(ticks, decay).to(spikes)
    carry = powers(decay, 1, ticks).to(spikes).reshape(ticks, *([1] * trace.ndim))
    return along_ticks(kernel, spikes) + carry * trace


def trace_set_window(trace: Tensor, spikes: Tensor, decay: float) -> Tensor:
    """`trace_set` over the ticks of a window; shapes as in `trace_window`. Spikes must be 0 or 1."""
    validate.binary("spikes", spikes)
    ticks = []
    for now in spikes:
        trace = trace_set(trace, now, decay)
        ticks.append(trace)
    return torch.stack(ticks)


def trace_level(rate: float, dt: float, decay: float, on_spike: OnSpike) -> float:
    """Mean of a trace of unit amplitude when its neuron fires at random at ``rate`` Hz, p = rate * dt / 1000 per tick.

    p / (1 - decay) where spikes add up, p / (1 - (1 - p) decay) where they set the trace.
    """
    p = rate * dt / 1000.0
    return p / (1.0 - decay) if on_spike == "add" else p / (1.0 - (1.0 - p) * decay)
