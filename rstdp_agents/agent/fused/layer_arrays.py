"""The memory of a layer in the order that compiled code runs through it; torch sees views of it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.fused.lazy_rows import RING
from rstdp_agents.agent.fused.words import pack_spikes, unpack_spikes, words_of
from rstdp_agents.base.records import records
from rstdp_agents.equations.lanes import WIDTH
from rstdp_agents.equations.rate_control import homeostasis_constants
from rstdp_agents.spiking.homeostasis import HomeostasisState
from rstdp_agents.spiking.layer import Layer
from rstdp_agents.spiking.plasticity.last_window import LastWindow
from rstdp_agents.spiking.synapses import Synapse
from rstdp_agents.spiking.synapses.convolution import Convolution


class Axes(NamedTuple):
    """Sizes of a layer, by the letters of `state`, and how its arrays are seen from outside."""

    inputs: int
    sites: int
    rows: int
    channels: int
    """Output neurons at a site."""
    padded: int
    pre: tuple[int, ...]
    """Shapes as a `Synapse` has them."""
    post: tuple[int, ...]
    weight: tuple[int, ...]

    def neurons(self, memory: Tensor) -> Tensor:
        """``(..., S, P)`` as ``(..., *post)``."""
        seen = memory[..., : self.channels].transpose(-1, -2)
        return seen.unflatten(-1, self.post[1:]) if len(self.post) > 1 else seen[..., 0]

    def synapses(self, memory: Tensor) -> Tensor:
        """``(..., R, P)`` as ``(..., *weight)``."""
        seen = memory[..., : self.channels].transpose(-1, -2)
        return seen.unflatten(-1, self.weight[1:]) if len(self.weight) > 2 else seen

    def ticks(self, memory: Tensor) -> Tensor:
        """``(..., S, T, P)`` as ``(..., T, *post)``."""
        return self.neurons(memory.transpose(-2, -3))

    def presynaptic(self, memory: Tensor) -> Tensor:
        """``(..., I)`` as ``(..., *pre)``."""
        return memory.unflatten(-1, self.pre) if len(self.pre) > 1 else memory


def axes_of(synapse: Synapse) -> Axes:
    """The axes of a layer with this synapse, dense or a convolution."""
    pre, post, weight = synapse.pre_shape, synapse.post_shape, synapse.weight_shape
    padded = -(-post[0] // WIDTH) * WIDTH
    return Axes(math.prod(pre), math.prod(post[1:]), math.prod(weight[1:]), post[0], padded, pre, post, weight)


def sources(synapse: Synapse) -> np.ndarray:
    """The input behind each row at each site, ``(R, S)``, of a convolution; of a dense layer none, ``(0, 1)``."""
    if not isinstance(synapse, Convolution):
        return np.zeros((0, 1), np.int32)
    space = len(synapse.pre_shape) - 1
    inputs = np.arange(math.prod(synapse.pre_shape), dtype=np.int32).reshape(synapse.pre_shape)
    axes = tuple(range(1, 1 + space))
    windows = np.lib.stride_tricks.sliding_window_view(inputs, synapse.weight_shape[2:], axes)
    strided = windows[(slice(None), *(slice(None, None, step) for step in synapse.taps.stride))]
    by_row = np.moveaxis(strided, tuple(range(1, 1 + space)), tuple(range(-space, 0)))
    return np.ascontiguousarray(by_row.reshape(math.prod(synapse.weight_shape[1:]), -1))


def layer_arrays(
    layer: Layer, envs: int, ticks: int, *, most: int, dense: bool, of_inputs: bool, lr_scale: float, counted: Tensor
) -> dict[str, Any]:
    """The fields of `state.LAYER_FIELDS`; the tensors of the layer become views of them, with the values that they had.

    most: inputs that can be active at once; of rows that are not dense. counted: output spikes, ``(agents, neurons)``.
    """
    axes, shape, terms = axes_of(layer.synapse), (layer.agents, envs), len(layer.rule.terms)
    homeostasis = homeostasis_constants(layer.homeostasis_params, layer.window_ms)
    return {
        "dense": dense, "of_inputs": of_inputs, "carries": not layer.fresh_each_window, "forgets": layer.last is not None,
        "nearest": layer.rule.on_spike == "set", "weighs": layer.rule.depends_on_weight,
        "homeostasis": records(homeostasis, layer.agents), "lr_scale": float(lr_scale),
        "taps": axes.rows // axes.pre[0], "source": sources(layer.synapse),
        "feedback": np.zeros((layer.agents, 0, axes.sites, axes.padded), np.float32),
        "origin": np.zeros((layer.agents, 0, axes.padded), np.float32),
        "own": (np.arange(axes.padded) < axes.channels).astype(np.float32),
        "pending": np.zeros(layer.agents, bool), "power": np.zeros(shape, np.float32), "post_count": counted.numpy(),
        "post": np.zeros((*shape, axes.sites, ticks, axes.padded), np.float32),
        "counts": np.zeros((*shape, axes.sites, axes.padded), np.float32),
        "bits": np.zeros((layer.agents, 1 + dense, envs, axes.inputs, words_of(ticks)), np.uint64), "words": words_of(ticks),
        **_synapses(layer, axes, envs, ticks), **_carried(layer, axes, envs),
        **waiting_rows(axes.rows, most, dense, shape, terms, layer.fresh_each_window),
    }  # fmt: skip


def waiting_rows(
    rows: int, most: int, dense: bool, shape: tuple[int, int], terms: int, fresh_each_window: bool
) -> dict[str, np.ndarray]:
    """The fields by which rows wait to be brought up to date; shape: ``(agents, envs)``."""
    (agents, envs) = shape
    places = RING * envs * most + rows if fresh_each_window else 4 * rows  # else `lazy_rows.make_room`
    room = 0 if dense else 1 << places.bit_length()
    return {
        "age": np.zeros((agents, rows * dense), np.int64), "touched": np.full((agents, rows), -1, np.int16),
        "queue": np.zeros((agents, room), np.int32), "queued": np.zeros((agents, 3), np.int64),
        "joined": np.zeros((agents, RING), np.int64), "owed": np.zeros((agents, terms * envs, RING)),
    }  # fmt: skip


def feed_back(layer: Layer, feedback: Tensor, arrays: dict[str, Any]) -> Tensor:
    """Let fixed random weights of the gate ``(agents, *post, out)`` lie in ``arrays`` of a hidden layer; returns their view."""
    axes, (agents, *_, out) = axes_of(layer.synapse), feedback.shape
    memory = torch.zeros(agents, out, axes.sites, axes.padded)
    arrays["feedback"] = memory.numpy()
    return axes.neurons(memory).movedim(1, -1).copy_(feedback)


def mirror(layer: Layer, origin: Tensor, arrays: dict[str, Any]) -> Tensor:
    """Let the weights that a layer began with lie in its ``arrays``; returns their view."""
    axes = axes_of(layer.synapse)
    memory = torch.zeros(layer.agents, axes.rows, axes.padded)
    arrays["origin"] = memory.numpy()
    return axes.synapses(memory).copy_(origin)


def show_last(layer: Layer, arrays: dict[str, Any]) -> LastWindow:
    """The last window of a layer that keeps no eligibility, from its fields; what is not their very memory, `take_last` takes."""
    axes, ticks = axes_of(layer.synapse), arrays["post"].shape[3]
    pre = torch.from_numpy(unpack_spikes(arrays["bits"][:, 0], ticks)).movedim(0, 2)
    assert layer.last is not None
    if layer.fresh_each_window:
        return layer.last._replace(pre=pre.unflatten(-1, axes.pre))
    credit, lingering, x = (torch.from_numpy(arrays[name]) for name in ("credit", "lingering", "x"))
    earned = torch.cat([axes.ticks(credit[..., :ticks, :]), axes.neurons(lingering)[:, :, :, None]], 3)
    return LastWindow(earned.unbind(1), torch.cat([pre, x[:, 0, :, None]], 2).unflatten(-1, axes.pre))


def take_last(layer: Layer, arrays: dict[str, Any]) -> None:
    """Write the last window of a layer into its fields, as `show_last` has shown it."""
    axes, ticks, last = axes_of(layer.synapse), arrays["post"].shape[3], layer.last
    assert last is not None
    pre = last.pre.flatten(3)
    arrays["bits"][:, 0] = pack_spikes(pre[:, :, :ticks].numpy())
    if not layer.fresh_each_window:
        credit, lingering = (torch.from_numpy(arrays[name]) for name in ("credit", "lingering"))
        earned = torch.stack(last.credit, 1)
        axes.ticks(credit[..., :ticks, :]).copy_(earned[:, :, :, :ticks])
        axes.neurons(lingering).copy_(earned[:, :, :, ticks])
        arrays["x"][:, 0] = pre[:, :, ticks].numpy()


def _synapses(layer: Layer, axes: Axes, envs: int, ticks: int) -> dict[str, np.ndarray]:
    """Weights, eligibility and homeostasis, which from now on lie here."""
    agents, terms, per_site = layer.agents, len(layer.rule.terms), (axes.sites, axes.padded)
    layer.pairs = layer.pairs._replace(z=())  # its memory goes before ours comes: there is nothing larger
    weight = torch.zeros(agents, axes.rows, axes.padded)
    z = torch.zeros(agents, terms, envs if layer.last is None else 0, axes.rows, axes.padded)
    credit = torch.zeros(agents, terms, envs, axes.sites, ticks + 1, axes.padded)
    causal = torch.zeros(agents, terms, envs if layer.rule.needs_scan else 0, axes.sites, ticks + 1, axes.padded)
    rate, offset = torch.zeros(2, agents, *per_site)
    layer.weight = axes.synapses(weight).copy_(layer.weight)
    if layer.last is None:
        layer.pairs = layer.pairs._replace(z=tuple(axes.synapses(z[:, k]) for k in range(terms)))
    elif layer.fresh_each_window:
        layer.last = layer.last._replace(credit=axes.ticks(credit[..., :ticks, :]).unbind(1))
    kept = zip((rate, offset), layer.homeostasis, strict=True)
    layer.homeostasis = HomeostasisState(*(axes.neurons(memory).copy_(value) for memory, value in kept))
    tensors = {"weight": weight, "z": z, "credit": credit, "causal": causal, "rate": rate, "offset": offset}
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _carried(layer: Layer, axes: Axes, envs: int) -> dict[str, np.ndarray]:
    """What may go on from window to window; where it does, it lies here from now on."""
    carries, shape = not layer.fresh_each_window, (layer.agents, envs)
    v, recovery, y = torch.zeros(3, *shape, axes.sites, axes.padded)
    x = torch.zeros(layer.agents, 2, envs, axes.inputs if carries else 0)
    if carries:
        held = zip((v, recovery), layer.neurons, strict=True)
        layer.neurons = type(layer.neurons)(*(axes.neurons(memory).copy_(own) for memory, own in held))
        layer.pairs = layer.pairs._replace(x=axes.presynaptic(x[:, 1]), y=axes.neurons(y))
    lingering = torch.zeros(layer.agents, len(layer.rule.terms), envs, axes.sites, axes.padded)
    tensors = {"v": v, "recovery": recovery, "y": y, "x": x, "lingering": lingering}
    return {name: tensor.numpy() for name, tensor in tensors.items()}
