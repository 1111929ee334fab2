"""Target-rate homeostasis of a neuron's bias or threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from rstdp_agents import validate
from rstdp_agents.traces import decay


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


class HomeostasisState(NamedTuple):
    """Per neuron and agent, ``(agents, *post)``."""

    rate: Tensor
    """Running estimate of the firing rate (Hz)."""
    offset: Tensor
    """Excitability built up so far; positive makes the neuron fire more."""


def homeostasis_init(
    shape: tuple[int, ...], p: HomeostasisParams, device: torch.device, dtype: torch.dtype
) -> HomeostasisState:
    """Rate estimate on the target, no offset."""
    rate = torch.full(shape, p.rate_target, device=device, dtype=dtype)
    return HomeostasisState(rate, torch.zeros_like(rate))


def drive_to_target(rate: Tensor, target: float | Tensor, plasticity: float) -> Tensor:
    """Change that pushes a rate to its target: ``plasticity * (target - rate) / target`` (any shape and unit of rate)."""
    return (target - rate) * (plasticity / target)


def homeostasis_window(
    counts: Tensor, state: HomeostasisState, p: HomeostasisParams, window: float
) -> HomeostasisState:
    """State after a window of ``window`` ms with spike counts ``(agents, envs, *post)``.

    rate <- rate + (1 - exp(-window / tau_rate)) (mean over envs of the rate of this window - rate), then
    offset <- offset + lr (target - rate) / target, within +-limit.
    """
    rate_now = counts.mean(1) * (1000.0 / window)
    rate = torch.lerp(state.rate, rate_now, 1 - decay(p.tau_rate, window))
    if p.param == "none":
        return HomeostasisState(rate, state.offset)
    offset = (state.offset + drive_to_target(rate, p.rate_target, p.lr)).clamp_(-p.limit, p.limit)
    return HomeostasisState(rate, offset)
