"""Leaky integrate-and-fire neurons with a refractory period and escape noise."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.base import compiled
from rstdp_agents.equations.neuron import LIFConstants, LIFParams, inhibited, lif_constants
from rstdp_agents.spiking.compiled_scan import scan


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


def lif_reset(state: LIFState, done: Tensor, p: LIFParams) -> None:
    """Put the neurons of the envs with ``done (agents, envs)`` bool back to rest, in place; the others stay as they are."""
    state.v[done] = p.v_rest
    state.refractory[done] = 0.0


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


def lif_from_rest(current: Tensor, threshold: Tensor, p: LIFParams, dt: float) -> Tensor:
    """Spikes of `lif_window` for neurons that start at rest."""
    rest = torch.full(current.shape[1:], p.v_rest, device=current.device, dtype=current.dtype)
    return lif_window(current, LIFState(rest, torch.zeros_like(rest)), threshold, p, dt)[0]


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
