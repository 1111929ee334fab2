"""Homeostasis of firing rates: a running estimate of the rate, and an excitability that follows it to a target.

The sign, everywhere: what fires **more** than its target becomes **less** excitable. Held is the mean rate of a layer, as
inhibition fed back from a pool of neurons holds it: a policy lies in the differences between its neurons, which stay.
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
    """Control of firing rates."""

    param: Literal["bias", "threshold", "none"] = "bias"
    """What is moved: a constant current per neuron, its threshold, or nothing."""
    scope: Literal["layer", "neuron"] = "layer"
    """Whose rate is held: the mean of every layer, whose neurons are all moved alike, so that no action is favoured by it; or
    every neuron's own, which levels the differences between actions."""
    rate_target: float = 250.0
    """Target of the rate that is held (Hz); for an agent 0 is what suits its decoder (`choice_hz`, `vector_hz`)."""
    tau_rate: float = 10_000.0
    """Time constant of the running rate estimate (ms of simulated time)."""
    lr: float = 1e-3
    """Change per window at a rate of zero, in units of the potential (bias: per tick)."""
    limit: float = 5.0
    """Largest absolute offset that homeostasis may build up."""

    def __post_init__(self) -> None:
        validate.not_negative("rate_target", self.rate_target, "Hz")
        validate.positive("tau_rate", self.tau_rate, "ms")
        validate.not_negative("lr", self.lr)
        validate.positive("limit", self.limit)


class HomeostasisConstants(NamedTuple):
    """What a window computes with: `HomeostasisParams` for windows of one length."""

    moves_bias: bool
    moves_threshold: bool
    of_layer: bool
    """Whether the mean rate of a layer is held, rather than every neuron's own."""
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
        moves_bias=p.param == "bias", moves_threshold=p.param == "threshold", of_layer=p.scope == "layer",
        rate_target=p.rate_target, hertz=1000.0 / window, rate_share=1.0 - decay(p.tau_rate, window), lr=p.lr, limit=p.limit,
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

    rate: every neuron's own, or the mean of its layer; of the shape of offset, or of one that broadcasts to it.
    """
    return clip(offset + drive_to_target(rate, p.rate_target, p.lr), -p.limit, p.limit)
