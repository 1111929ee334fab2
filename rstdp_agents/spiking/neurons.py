"""What a neuron model is; and leaky integrate-and-fire neurons with a refractory period and escape noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from rstdp_agents.base import compiled
from rstdp_agents.equations.neuron import LIFConstants, LIFParams, inhibited, lif_constants, noisy_threshold
from rstdp_agents.spiking.compiled_scan import scan

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


def lif_step(current: Tensor, state: LIFState, threshold: Tensor, p: LIFParams, dt: float) -> tuple[Tensor, LIFState]:
    """One tick: `neuron.lif_tick`, then `neuron.inhibited` by the other neurons of the layer in this env.

    current, threshold: ``(agents, envs, *post)``; the current is the jump of potential of this tick.
    Returns the spikes (0 or 1, the dtype of ``current``) and the new state.
    """
    spikes, state = lif_window(current[None], state, threshold[None], p, dt)
    return spikes[0], state


def lif_window(current: Tensor, state: LIFState, threshold: Tensor, p: LIFParams, dt: float) -> tuple[Tensor, LIFState]:
    """All ticks of a window, each as in `lif_step`: the one sequential scan of the package.

    current, threshold: ``(ticks, agents, envs, *post)``. Returns spikes of that shape and the state after the window.
    """
    if not _compiled_takes(current):
        return _scan(current, state, threshold, p, dt)
    drive, level = (tensor.numpy().reshape(len(tensor), -1) for tensor in (current, threshold))
    v, left = (tensor.numpy().reshape(-1) for tensor in state)
    constants = LIFConstants(*map(v.dtype.type, lif_constants(p, dt)))
    spikes, *after = scan(drive, level, v, left, constants, current.shape[3:].numel())
    state = LIFState(*(torch.from_numpy(array.reshape(state.v.shape)) for array in after))
    return torch.from_numpy(spikes.reshape(current.shape)), state


def scanned(
    tick: Callable[..., tuple[Tensor, ...]], current: Tensor, thresholds: Iterable[Any], state: Any, p: Any
) -> tuple[Tensor, Any]:
    """Spikes ``(ticks, agents, envs, *post)`` and the state after all ticks, of a model with two variables.

    tick: of one of `equations`, called with both, the current and the threshold of a tick, and the constants ``p``. thresholds:
    one of every tick. state: a NamedTuple.
    """
    (first, second), spikes = state, []
    for drive, threshold in zip(current, thresholds):
        spike, first, second = tick(first, second, drive, threshold, p)
        spikes.append(spike)
    return torch.stack(spikes), type(state)(first, second)


def of_layer(spikes: Tensor) -> Tensor:
    """Spikes of a neuron's whole layer, ``(agents, envs, 1...)``, for spikes ``(agents, envs, *post)`` of one tick."""
    return spikes.flatten(2).sum(2).reshape(*spikes.shape[:2], *[1] * (spikes.ndim - 2))


def _compiled_takes(current: Tensor) -> bool:
    """Whether compiled code may scan: on the CPU, in its number types, and where nobody records the operations."""
    plain = current.device.type == "cpu" and current.dtype in (torch.float32, torch.float64)
    return plain and compiled.ENABLED and not current.requires_grad and not torch.compiler.is_compiling()


def _scan(current: Tensor, state: LIFState, threshold: Tensor, p: LIFParams, dt: float) -> tuple[Tensor, LIFState]:
    """`lif_window` by operations of torch, for any device: four per tick, for their number is what a scan costs.

    `neuron.lif_tick` in another form: a spike lifts the next thresholds out of reach, in place of a pause that is counted.
    """
    c, ticks = lif_constants(p, dt), len(current)
    pause = int(c.refractory_ticks)
    drives = (current + c.v_rest * (1 - c.keep_v) if c.v_rest else current).unbind(0)
    thresholds = threshold.clone().unbind(0) if pause else threshold.unbind(0)
    for tick, level in enumerate(thresholds[:pause]):
        level.masked_fill_(state.refractory > tick, torch.inf)
    spikes, v = torch.empty_like(current, dtype=torch.bool), state.v
    for tick, spike in enumerate(spikes.unbind(0)):
        v = torch.add(drives[tick], v, alpha=c.keep_v)
        torch.ge(v, thresholds[tick], out=spike)
        v.masked_fill_(spike, c.v_reset)
        if c.lateral_inhibition:
            fired = spike.to(v.dtype)
            v = inhibited(v, fired, of_layer(fired), c)
        for later in thresholds[tick + 1 : tick + 1 + pause]:
            later.masked_fill_(spike, torch.inf)
    refractory = (state.refractory - ticks).clamp_(min=0)
    for left, spike in enumerate(spikes[-pause:] if pause else (), 1 + max(0, pause - ticks)):
        refractory.add_(spike, alpha=left)  # a neuron can have fired in one of them only
    return spikes.to(current.dtype), LIFState(v, refractory)


class LIF(LIFParams):
    """The leaky integrate-and-fire neuron as a `Neuron`."""

    def constants(self, dt: float) -> LIFConstants:
        """What compiled code computes with, for ticks of ``dt`` ms."""
        return lif_constants(self, dt)

    def start(self, shape: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> LIFState:
        return lif_init(shape, self, device, dtype)

    def window(
        self, current: Tensor, uniform: Tensor, lowered: Tensor | float, state: LIFState, dt: float
    ) -> tuple[Tensor, LIFState]:
        threshold = noisy_threshold(uniform, lif_constants(self, dt))
        return lif_window(current, state, threshold if isinstance(lowered, float) else threshold - lowered, self, dt)
