"""Homeostasis of firing rates: a running estimate of the rate, and an excitability that follows it to a target.

The sign, everywhere: a neuron that fires **more** than its target becomes **less** excitable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from rstdp_agents.base import validate
from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, clip, lerp
from rstdp_agents.equations.traces import decay


@dataclass(frozen=True)
class HomeostasisParams:
    """Slow control of every neuron's firing rate."""

    param: Literal["bias", "threshold", "none"] = "bias"
    """What is moved: a constant current per neuron, its threshold, or nothing."""
    rate_target: float = 250.0
    """Target rate of every neuron (Hz)."""
    tau_rate: float = 10_000.0
    """Time constant of the running rate estimate (ms of simulated time)."""
    lr: float = 1e-4
    """Change per window at a rate of zero, in units of the potential (bias: per tick)."""
    limit: float = 0.5
    """Largest absolute offset that homeostasis may build up."""

    def __post_init__(self) -> None:
        validate.positive("rate_target", self.rate_target, "Hz")
        validate.positive("tau_rate", self.tau_rate, "ms")
        validate.not_negative("lr", self.lr)
        validate.positive("limit", self.limit)


class HomeostasisConstants(NamedTuple):
    """What a window computes with: `HomeostasisParams` for windows of one length."""

    moves_bias: bool
    moves_threshold: bool
    rate_target: float
    hertz: float
    """Rate of one spike in a window (Hz)."""
    rate_share: float
    """Share of a window's rate in the running estimate, 1 - exp(-window / tau_rate)."""
    lr: float
    limit: float


def homeostasis_constants(p: HomeostasisParams, window: float) -> HomeostasisConstants:
    """Constants of homeostasis for windows of ``window`` ms."""
    return HomeostasisConstants(
        p.param == "bias", p.param == "threshold", p.rate_target, 1000.0 / window, 1.0 - decay(p.tau_rate, window), p.lr, p.limit
    )  # fmt: skip


@equation
def running_rate(rate: Value, rate_now: Value, share: Value) -> Value:
    """Running mean that forgets.

        rate <- rate + (1 - exp(-window / tau_rate)) (rate_now - rate)

    share: the first factor. Any shape and unit of rate.
    """
    return lerp(rate, rate_now, share)


@equation
def drive_to_target(rate: Value, target: Value, plasticity: Value) -> Value:
    """Change that pushes a rate to its target, ``plasticity (target - rate) / target``; any shape and unit of rate."""
    return (target - rate) * (plasticity / target)


@equation
def offset_step(offset: Value, rate: Value, p: HomeostasisParams | HomeostasisConstants) -> Value:
    """Excitability after a window, for the running rate (Hz); positive makes a neuron fire more.

        offset <- offset + lr (rate_target - rate) / rate_target, within +-limit

    offset, rate: of one shape.
    """
    return clip(offset + drive_to_target(rate, p.rate_target, p.lr), -p.limit, p.limit)
