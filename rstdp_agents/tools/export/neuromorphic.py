"""A trained agent as a graph of the Neuromorphic Intermediate Representation (Pedersen et al. 2024), for chips and simulators.

A tick here is  v <- v_rest + (v - v_rest) k + I  with k = exp(-dt / tau_m), a spike where v >= v_th;  NIR's neuron is
tau dv/dt = v_leak - v + R I with a spike where v > v_threshold. Integrated exactly over a tick of constant I it moves by
(1 - k) (v_leak + R I - v), so tau = tau_m and R = 1 / (1 - k) make the two equal. A forward Euler step moves it by dt / tau
times the same bracket: then tau = dt / (1 - k), with the same R. The threshold is the largest number below v_th.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.base.plugins import optional
from rstdp_agents.equations.neuron import LIFParams
from rstdp_agents.equations.traces import decay
from rstdp_agents.spiking.layer import Layer
from rstdp_agents.spiking.neurons import LIF
from rstdp_agents.spiking.synapses import Conv1d, Conv2d, Linear, Synapse

if TYPE_CHECKING:
    from rstdp_agents.agent.agent import Agent

nir: Any = optional("nir", "nir")
Solver = Literal["euler", "exact"]
Inexpressible = Literal["noise", "refractory"]
"""What NIR cannot express and an export may leave out: escape noise, and the refractory period."""


def agent_graph(
    agent: Agent, index: int = 0, solver: Solver = "euler", without: Collection[Inexpressible] = (),
    metadata: dict[str, Any] | None = None,
) -> Any:  # fmt: skip
    """Synapses and neurons of one agent of a population, from input to output spikes, as a ``nir.NIRGraph``.

    solver: how the reader integrates, in steps of the same dt: by forward Euler, as SpikingJelly and snnTorch do, or exactly.
    without: what to leave out. metadata: goes into the graph as it is. Encoder, decoder and windows, at whose start
    the membranes are at rest, are left to the reader. Raises ValueError naming the part that NIR cannot express.
    """
    validate.one_of("solver", solver, get_args(Solver))
    layers = agent.network.layers
    if agent.network.axons:
        raise ValueError(
            f"NIR is written without delays; received `network.max_delay` {agent.config.network.max_delay}"
        )
    shape = layers[0].synapse.pre_shape
    nodes: dict[str, Any] = {"input": nir.Input({"input": np.array(shape)})}
    for layer in layers:
        neuron = layer.neuron
        if not isinstance(neuron, LIF):
            raise ValueError(f"NIR is written of `neuron.model` lif; received {agent.config.neuron.model!r}")
        refuse_inexpressible(neuron, layer.dt, without)
        if layer.synapse.pre_shape != shape:
            nodes[f"{layer.name}_flatten"] = nir.Flatten({"input": np.array(shape)}, start_dim=0, end_dim=-1)
        bias, leak, threshold = offsets(layer, neuron, layer.homeostasis.offset[index])
        nodes[f"{layer.name}_synapse"] = synapse_node(layer.synapse, scaled_weight(layer, index), bias)
        nodes[f"{layer.name}_neurons"] = neuron_node(neuron, layer.dt, solver, leak, threshold)
        shape = layer.synapse.post_shape
    nodes["output"] = nir.Output({"output": np.array(shape)})
    names = list(nodes)
    return nir.NIRGraph(nodes, list(pairwise(names)), metadata=metadata or {})


def refuse_inexpressible(p: LIFParams, dt: float, without: Collection[Inexpressible]) -> None:
    """Raise ValueError for what these neurons do and NIR's do not, unless it is left out."""
    for word in without:
        validate.one_of("without", word, get_args(Inexpressible))
    if p.escape_noise and "noise" not in without:
        raise ValueError(
            f"NIR cannot express escape noise (`neuron.escape_noise` is {p.escape_noise}): train without it, or leave it "
            "out with `without` noise, for a hard threshold"
        )
    if p.lateral_inhibition:
        raise ValueError(
            "NIR's LIF neurons do not inhibit each other: train with `neuron.lateral_inhibition` 0; received "
            f"{p.lateral_inhibition}"
        )
    if round(p.t_ref / dt) and "refractory" not in without:
        raise ValueError(
            f"NIR's LIF has no refractory period (`neuron.t_ref` is {p.t_ref} ms): train without it, or leave it out with "
            "`without` refractory"
        )


def scaled_weight(layer: Layer, index: int) -> Tensor:
    """Weights of one agent, times the gain that homeostasis gives to the synapses of each neuron, or channel of neurons."""
    weight, offset = layer.weight[index], layer.homeostasis.offset[index]
    if layer.homeostasis_params.param != "gain":
        return weight
    of_row = offset.reshape(len(weight), -1)
    if (of_row != of_row[:, :1]).any():
        raise ValueError(
            "NIR cannot express `homeostasis.param` gain where neurons that share their weights differ in it"
        )
    return weight * of_row[:, :1].exp().reshape(-1, *[1] * (weight.ndim - 1))


def offsets(layer: Layer, p: LIFParams, offset: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
    """Homeostasis in NIR's terms, ``(*post)``: a bias or None, the increase of the leak potential, and the thresholds.

    A constant current is the bias of a dense synapse. A convolution has only one bias per channel: there the current raises
    the potential to which each membrane leaks (by R times the current), which is equivalent.
    """
    zeros, v_th, param = torch.zeros_like(offset), p.v_th, layer.homeostasis_params.param
    if param == "threshold":
        return None, zeros, v_th - offset
    if param in ("none", "gain") or not offset.any():
        return None, zeros, zeros + v_th
    if type(layer.synapse) is Linear:
        return offset, zeros, zeros + v_th
    return None, offset / (1 - decay(p.tau_m, layer.dt)), zeros + v_th


def neuron_node(p: LIFParams, dt: float, solver: Solver, leak: Tensor, threshold: Tensor) -> Any:
    """Neurons ``(*post)`` with the potential they leak to raised by ``leak``; seconds, and the equations of the file."""
    per_tick = 1 - decay(p.tau_m, dt)
    tau = (p.tau_m if solver == "exact" else dt / per_tick) / 1000.0
    like = threshold.cpu().numpy()
    return nir.LIF(
        tau=np.full_like(like, tau),
        r=np.full_like(like, 1 / per_tick),
        v_leak=p.v_rest + leak.cpu().numpy(),
        v_threshold=np.nextafter(like, -np.inf, dtype=like.dtype),  # NIR's neuron has to exceed it
        v_reset=np.full_like(like, p.v_reset),
    )


def synapse_node(synapse: Synapse, weight: Tensor, bias: Tensor | None) -> Any:
    """The synapse with ``weight`` and a bias per output neuron or channel, 0 if None; ValueError if NIR has no such synapse."""
    w = weight.cpu().numpy().copy()
    b = np.zeros(w.shape[0], w.dtype) if bias is None else bias.cpu().numpy().copy()
    if isinstance(synapse, Linear):
        return nir.Affine(w, b)
    if not isinstance(synapse, Conv1d | Conv2d):
        raise ValueError(
            f"NIR cannot express a synapse of type {type(synapse).__name__}; it has Linear, Conv1d and Conv2d"
        )
    if synapse.padding_mode != "zeros" and any(map(sum, synapse.sides)):
        raise ValueError(f"NIR pads convolutions with zeros; received `padding_mode` {synapse.padding_mode!r}")
    size, stride, dilation = (synapse.per_axis(name) for name in ("size", "stride", "dilation"))
    padding = tuple(before for before, _ in synapse.sides)
    if any(before != after for before, after in synapse.sides):
        padding = "same"
    if isinstance(synapse, Conv2d):
        return nir.Conv2d(size, w, stride, padding, dilation, synapse.groups, b)
    return nir.Conv1d(
        size[0], w, stride[0], padding if padding == "same" else padding[0], dilation[0], synapse.groups, b
    )


def nir_bytes(graph: Any) -> bytes:
    """Content of the file that `nir.read` reads."""
    buffer = io.BytesIO()
    nir.write(buffer, graph)
    return buffer.getvalue()
