"""What a neuron model is; and leaky integrate-and-fire neurons with a refractory period and escape noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.traces import decay

State = Any
"""State of the neurons of a layer between ticks: a NamedTuple of tensors ``(agents, envs, *post)``."""


class Neuron(Protocol):
    """A model of spiking neurons: constants, and what they make of a state, which lives with the layer."""

    def start(self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> State:
        """Neurons ``shape`` at rest: a NamedTuple of tensors, which checkpoints hold by the names of its fields."""
        ...

    def window(
        self, current: Tensor, uniform: Tensor, lowered: Tensor | float, state: State, dt: float
    ) -> tuple[Tensor, State]:
        """Spikes ``(ticks, agents, envs, *post)`` of 0 and 1, and the state after all ticks of ``dt`` ms.

        current: of each tick, of the shape of the spikes; a weight of 1 adds 1 where its input spikes. uniform: draws from [0, 1)
        of that shape, for noise. lowered: by how much homeostasis has lowered the thresholds, ``(agents, 1, *post)``, or 0. The
        state that is given stays as it is.
        """
        ...


def reset(model: Neuron, state: State, done: Tensor) -> None:
    """Put the neurons of the envs with ``done (agents, envs)`` bool back to rest, in place; the others stay as they are."""
    first: Tensor = state[0]
    mask = done.reshape(*done.shape, *[1] * (first.ndim - done.ndim))
    for tensor, rest in zip(state, model.start(tuple(first.shape), first.device, first.dtype), strict=True):
        tensor.copy_(torch.where(mask, rest, tensor))


@dataclass(frozen=True)
class LIFParams:
    """Leaky integrate-and-fire neuron; voltages in units of the distance from rest to threshold."""

    tau_m: float = 10.0
    """Membrane time constant (ms)."""
    v_th: float = 1.0
    """Threshold."""
    v_rest: float = 0.0
    """Resting potential, to which the membrane leaks."""
    v_reset: float = 0.0
    """Potential right after a spike."""
    t_ref: float = 1.0
    """Refractory period (ms): after a spike the neuron cannot fire for this long; 0 for none."""
    escape_noise: float = 0.4
    """Width of the soft threshold: P(spike) per tick = sigmoid((v - v_th) / escape_noise); 0 for a hard threshold."""
    lateral_inhibition: float = 0.0
    """By how much a spike lowers the potential of every other neuron of its layer, from the next tick on."""

    def __post_init__(self) -> None:
        validate.positive("tau_m", self.tau_m, "ms")
        validate.not_negative("t_ref", self.t_ref, "ms")
        validate.not_negative("escape_noise", self.escape_noise)
        validate.not_negative("lateral_inhibition", self.lateral_inhibition)
        validate.ordered("v_reset", self.v_reset, "v_th", self.v_th)
        validate.ordered("v_rest", self.v_rest, "v_th", self.v_th)

    def start(self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> LIFState:
        """As `Neuron.start`."""
        return lif_init(shape, self, device, dtype)

    def window(
        self, current: Tensor, uniform: Tensor, lowered: Tensor | float, state: LIFState, dt: float
    ) -> tuple[Tensor, LIFState]:
        """As `Neuron.window`: `lif_window` with noisy thresholds."""
        threshold = noisy_threshold(uniform, self)
        return lif_window(current, state, threshold if isinstance(lowered, float) else threshold - lowered, self, dt)


class LIFState(NamedTuple):
    """State of a layer between ticks, both ``(agents, envs, *post)``."""

    v: Tensor
    """Membrane potential."""
    refractory: Tensor
    """Ticks for which the neuron stays refractory (whole numbers, as floats)."""


def lif_init(shape: tuple[int, ...], p: LIFParams, device: torch.device, dtype: torch.dtype) -> LIFState:
    """A layer at rest, ready to fire."""
    return LIFState(
        torch.full(shape, p.v_rest, device=device, dtype=dtype), torch.zeros(shape, device=device, dtype=dtype)
    )


def noisy_threshold(uniform: Tensor, p: LIFParams) -> Tensor:
    """Thresholds that turn a hard comparison into escape noise.

    With u uniform in [0, 1), ``v >= v_th + escape_noise * logit(u)`` holds with probability
    ``sigmoid((v - v_th) / escape_noise)``. Shape of ``uniform``.
    """
    if p.escape_noise == 0:
        return torch.full_like(uniform, p.v_th)
    return torch.logit(uniform, eps=1e-7).mul_(p.escape_noise).add_(p.v_th)


def logistic(uniform: Tensor, sd: float) -> Tensor:
    """Noise of mean 0 and standard deviation ``sd`` from draws in [0, 1), of their shape: a logistic distribution."""
    return torch.logit(uniform, eps=1e-7).mul_(sd * math.sqrt(3.0) / math.pi)


def lif_step(current: Tensor, state: LIFState, threshold: Tensor, p: LIFParams, dt: float) -> tuple[Tensor, LIFState]:
    """One tick: leak, integrate, fire, reset.

    v <- v_rest + (v - v_rest) exp(-dt / tau_m) + current;  spike where v >= threshold and not refractory;  v <- v_reset;
    v <- v - lateral_inhibition * (spikes of the other neurons of the layer in this env).

    current, threshold: ``(agents, envs, *post)``; the current is the jump of potential of this tick.
    Returns the spikes (0 or 1, the dtype of ``current``) and the new state.
    """
    spikes, state = lif_window(current[None], state, threshold[None], p, dt)
    return spikes[0], state


def lif_window(current: Tensor, state: LIFState, threshold: Tensor, p: LIFParams, dt: float) -> tuple[Tensor, LIFState]:
    """All ticks of a window: the one sequential scan of the package (equations in `lif_step`).

    current, threshold: ``(ticks, agents, envs, *post)``. Returns spikes of that shape and the state after the window.
    """
    if not _compiled_takes(current):
        return _scan(current, state, threshold, p, dt)
    from rstdp_agents.spiking.compiled_scan import scan

    drive, level = (tensor.numpy().reshape(len(tensor), -1) for tensor in (current, threshold))
    v, left = (tensor.numpy().reshape(-1) for tensor in state)
    spikes, *after = scan(
        drive, level, v, left, decay(p.tau_m, dt), p.v_rest, p.v_reset, round(p.t_ref / dt), p.lateral_inhibition,
        current.shape[3:].numel(),
    )  # fmt: skip
    state = LIFState(*(torch.from_numpy(array.reshape(state.v.shape)) for array in after))
    return torch.from_numpy(spikes.reshape(current.shape)), state


def others(spikes: Tensor) -> Tensor:
    """For each neuron how many others of its layer spike, for spikes ``(agents, envs, *post)`` of one tick."""
    return spikes.flatten(2).sum(2).reshape(*spikes.shape[:2], *[1] * (spikes.ndim - 2)) - spikes


def _compiled_takes(current: Tensor) -> bool:
    """Whether compiled code may scan: on the CPU, in its number types, and where nobody records the operations."""
    plain = current.device.type == "cpu" and current.dtype in (torch.float32, torch.float64)
    if not plain or current.requires_grad or torch.compiler.is_compiling():
        return False
    from rstdp_agents.base import compiled  # numba takes half a second to import, which every start would pay

    return compiled.ENABLED


def _scan(current: Tensor, state: LIFState, threshold: Tensor, p: LIFParams, dt: float) -> tuple[Tensor, LIFState]:
    """`lif_window` by operations of torch, for any device: four per tick, for their number is what a scan costs.

    A spike lifts the next thresholds out of reach.
    """
    keep, pause, ticks = decay(p.tau_m, dt), round(p.t_ref / dt), len(current)
    drives = (current + p.v_rest * (1 - keep) if p.v_rest else current).unbind(0)
    thresholds = threshold.clone().unbind(0) if pause else threshold.unbind(0)
    for tick, level in enumerate(thresholds[:pause]):
        level.masked_fill_(state.refractory > tick, torch.inf)
    spikes, v = torch.empty_like(current, dtype=torch.bool), state.v
    for tick, spike in enumerate(spikes.unbind(0)):
        v = torch.add(drives[tick], v, alpha=keep)
        torch.ge(v, thresholds[tick], out=spike)
        v.masked_fill_(spike, p.v_reset)
        if p.lateral_inhibition:
            v -= p.lateral_inhibition * others(spike.to(v.dtype))
        for later in thresholds[tick + 1 : tick + 1 + pause]:
            later.masked_fill_(spike, torch.inf)
    refractory = (state.refractory - ticks).clamp_(min=0)
    for left, spike in enumerate(spikes[-pause:] if pause else (), 1 + max(0, pause - ticks)):
        refractory.add_(spike, alpha=left)  # a neuron can have fired in one of them only
    return spikes.to(current.dtype), LIFState(v, refractory)
