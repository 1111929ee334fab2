"""Homeostasis of firing rates: a running estimate of the rate, and an excitability that follows it to a target.

The sign, everywhere: what fires **more** than its target becomes **less** excitable. Held is the mean rate of a layer, as
inhibition fed back from a pool of neurons holds it: a policy lies in the differences between its neurons, which stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal, NamedTuple

from rstdp_agents.base import validate
from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, clip, lerp
from rstdp_agents.equations.traces import decay


@dataclass(frozen=True)
class HomeostasisParams:
    """Control of firing rates."""

    param: Literal["bias", "threshold", "gain", "none"] = "bias"
    """What is moved: a constant current per neuron, its threshold, the gain of its synapses (all of them scaled alike, as
    synaptic scaling does: e to the offset), or nothing."""
    scope: Literal["layer", "neuron"] = "layer"
    """Whose rate is held: the mean of every layer, whose neurons are all moved alike, so that no action is favoured by it; or
    every neuron's own, which levels the differences between actions."""
    rate_target: float = 250.0
    """Target of the rate that is held (Hz); for an agent 0 is what suits its decoder (`choice_hz`, `vector_hz`)."""
    tau_rate: float = 10_000.0
    """Time constant of the running rate estimate (ms of simulated time)."""
    tau: float = 10_000.0
    """Time constant of the correction (ms of simulated time): silent neurons gain an offset of 1 in it, in units of the
    potential (bias: per tick), or a factor e (gain); inf for a correction that stays as it is."""
    limit: float = 5.0
    """Largest absolute offset that homeostasis may build up."""
    floor: float = 0.0
    """Rate (Hz) below which a neuron raises its own offset in addition, whatever the scope, so that none stays silent; 0 for
    none."""

    def __post_init__(self) -> None:
        validate.not_negative("rate_target", self.rate_target, "Hz")
        validate.positive("tau_rate", self.tau_rate, "ms")
        validate.require(self.tau > 0, f"`tau` must be positive (ms); received {self.tau}")
        validate.positive("limit", self.limit)
        validate.not_negative("floor", self.floor, "Hz")


class HomeostasisConstants(NamedTuple):
    """What a window computes with: `HomeostasisParams` for windows of one length."""

    moves_bias: bool
    moves_threshold: bool
    moves_gain: bool
    of_layer: bool
    """Whether the mean rate of a layer is held, rather than every neuron's own."""
    rate_target: float
    hertz: float
    """Rate of one spike in a window (Hz)."""
    rate_share: float
    """Share of a window's rate in the running estimate, 1 - exp(-window / tau_rate)."""
    share: float
    """Offset that silent neurons gain in a window, window / tau."""
    limit: float
    floor: float
    floor_share: float
    """Offset per Hz below the floor that a neuron gains in a window."""


def homeostasis_constants(p: HomeostasisParams, window: float) -> HomeostasisConstants:
    """Constants of homeostasis for windows of ``window`` ms."""
    return HomeostasisConstants(
        moves_bias=p.param == "bias", moves_threshold=p.param == "threshold", moves_gain=p.param == "gain",
        of_layer=p.scope == "layer", rate_target=p.rate_target, hertz=1000.0 / window,
        rate_share=1.0 - decay(p.tau_rate, window), share=window / p.tau, limit=p.limit, floor=p.floor,
        floor_share=window / p.tau / p.floor if p.floor else 0.0,
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
def offset_step(offset: Value, held: Value, own: Value, p: HomeostasisConstants) -> Value:
    """Excitability after a window, for running rates (Hz); positive makes a neuron fire more.

        offset <- offset + window / tau ((rate_target - held) / rate_target + (floor - own) / floor where own < floor)

    within +-limit. held: the rate that is held, every neuron's own or the mean of its layer. own: every neuron's own. Of the
    shape of offset, or of one that broadcasts to it.
    """
    alone = clip(p.floor - own, 0.0, inf) * p.floor_share
    return clip(offset + drive_to_target(held, p.rate_target, p.share) + alone, -p.limit, p.limit)
