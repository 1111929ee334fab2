"""Target-rate homeostasis of a neuron's bias or threshold, and of weights, biases and delays; adaptive threshold.

The sign, everywhere: a neuron that fires **more** than its target gets a **smaller** weight or bias and a **longer** delay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.rate_control import (
    HomeostasisConstants,
    HomeostasisParams,
    drive_to_target,
    homeostasis_constants,
    offset_step,
    running_rate,
)
from rstdp_agents.equations.traces import decay, trace_step
from rstdp_agents.spiking.reductions import Reduction, mean_envs, per_weight
from rstdp_agents.spiking.synapses import Synapse

HomeostaticParam = Literal["weight", "bias", "delay"]


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


def cumulative_rate(rate: Tensor, spikes: Tensor, steps: int) -> Tensor:
    """Mean of ``spikes`` over all ``steps`` so far, this one included (spikes per step): all of them count alike."""
    return running_rate(rate, spikes, 1.0 / steps)


def homeostatic_drive(synapse: Synapse, rate: Tensor, target: float | Tensor, plasticity: float) -> Tensor:
    """`rate_control.drive_to_target` of every output neuron and env, ``(agents, envs, *post)``.

    rate: ``(agents, envs, *post)``, in the unit of the target; a spike trace serves as well, with `traces.trace_level` of
    the target rate as its target. target: positive; a number, ``(*post)``, or ``(agents, envs, *post)`` where agents and
    envs may be 1. Any other shape is refused.
    """
    axes = {f"post{i}": n for i, n in enumerate(synapse.post_shape)}
    validate.axes("rate", rate, agents=None, envs=None, **axes)
    validate.positive_rate("target", target, "in the unit of `rate`")
    if isinstance(target, Tensor) and target.ndim == rate.ndim:
        leading = {name: 1 if target.shape[i] == 1 else rate.shape[i] for i, name in enumerate(("agents", "envs"))}
        validate.axes("target", target, **leading, **axes)
    elif isinstance(target, Tensor) and target.ndim:
        validate.axes("target", target, **axes)
    return drive_to_target(rate, target, plasticity)


def homeostatic_parts(
    synapse: Synapse, param: HomeostaticParam, drive: Tensor, reduce: Reduction = mean_envs
) -> tuple[Tensor, Tensor]:
    """What raises the parameter (>= 0) and what lowers it (<= 0), each reduced over the envs: the change is their sum.

    drive: ``(agents, envs, *post)`` from `homeostatic_drive`; a delay moves against it. Returns two ``(agents, *weight)``,
    for a bias ``(agents, *post)``.
    """
    validate.one_of("param", param, get_args(HomeostaticParam))
    k = drive if param == "bias" else per_weight(synapse, -drive if param == "delay" else drive)
    return reduce(k.clamp(min=0.0), 1), reduce(k.clamp(max=0.0), 1)


def linear_homeostasis(
    synapse: Synapse, param: HomeostaticParam, drive: Tensor, reduce: Reduction = mean_envs
) -> Tensor:
    """Change of a weight, bias or delay that pushes every output neuron to its target: the sum of `homeostatic_parts`."""
    pos, neg = homeostatic_parts(synapse, param, drive, reduce)
    return pos + neg


def channel_mean(per_post: Tensor) -> Tensor:
    """Mean over the positions of each channel, kept at every position: what a bias or weight that they share is driven by.

    per_post: ``(agents, envs, channels, *space)``.
    """
    if per_post.ndim <= 3:
        return per_post
    return per_post.mean(tuple(range(3, per_post.ndim)), keepdim=True).expand_as(per_post)


@dataclass(frozen=True)
class AdaptiveThreshold:
    """A threshold that rises with every spike of its neuron and decays back: v_th + theta."""

    increment: float = 0.05
    """Rise of theta at a spike, in units of the potential."""
    tau: float = 1000.0
    """Time constant of its decay (ms)."""

    def __post_init__(self) -> None:
        validate.not_negative("increment", self.increment)
        validate.positive("tau", self.tau, "ms")


def adaptive_threshold_step(theta: Tensor, spikes: Tensor, p: AdaptiveThreshold, dt: float) -> Tensor:
    """Offset of the threshold after one tick: theta <- theta exp(-dt / tau) + increment * spikes (all of one shape)."""
    return trace_step(theta, spikes, decay(p.tau, dt), p.increment)


def homeostasis_window(
    rate_now: Tensor, state: HomeostasisState, p: HomeostasisParams, window: float
) -> HomeostasisState:
    """State after a window of ``window`` ms in which the neurons fired at ``rate_now (agents, *post)`` Hz, the mean over envs."""
    c = homeostasis_constants(p, window)
    return homeostasis_step(running_rate(state.rate, rate_now, c.rate_share), state.offset, c)


def homeostasis_step(rate: Tensor, offset: Tensor, c: HomeostasisConstants) -> HomeostasisState:
    """State of a new rate estimate: its offset has moved as in `rate_control.offset_step`, if any is to move."""
    if not (c.moves_bias or c.moves_threshold or c.moves_gain):
        return HomeostasisState(rate, offset)
    return HomeostasisState(rate, offset_step(offset, layer_mean(rate) if c.of_layer else rate, rate, c))


def layer_mean(per_neuron: Tensor) -> Tensor:
    """Mean over all neurons of a layer, channels and positions alike: from ``(agents, *post)`` to ``(agents, 1, ...)``."""
    return per_neuron.mean(tuple(range(1, per_neuron.ndim)), keepdim=True)
