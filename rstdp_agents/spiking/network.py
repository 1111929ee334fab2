"""Layers in a row: each an own synapse, neurons, rule and homeostasis, and all learn from one modulator.

The output layer is credited by what the agent did. A hidden layer cannot see how its spikes led to the action without the
weights behind it, which no synapse knows; what it gets instead comes back to it by other synapses, see `Network`.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

from rstdp_agents.equations.three_factor import shared_gate
from rstdp_agents.spiking import neurons as models
from rstdp_agents.spiking.axons import Axons
from rstdp_agents.spiking.layer import Layer
from rstdp_agents.spiking.neurons import State

Credit = Literal["mirrored", "feedback", "broadcast", "frozen"]
LEAST = 1e-9
"""Length of a neuron's feedback weights below which it has none."""


class Network:
    """Layers from input to output; the spikes of one are the input of the next.

    credit: what gates the spike pairs of hidden neurons. mirrored: the output neurons' gate, ``1[a] - pi(a)``, through weights
    that grow as those of the output do (`mirrored`), for the last hidden layer; for those before it as feedback. feedback: the
    same gate through fixed random weights, drawn once for each hidden neuron (after Lillicrap et al. 2016: the output weights
    come to fit the feedback). broadcast: nothing, the modulator alone tells. frozen: hidden layers do not learn.
    feedback: for each hidden layer with random weights, ``(agents, *post, out)`` uniform in [0, 1), from which they are made.
    lr_scale: learning rate of the hidden layers, relative to that of the output layer. axons: of the input, None for none that
    take time. Where there are any, what is under way is the last of the `neurons`.
    """

    def __init__(
        self, layers: list[Layer], credit: Credit, feedback: list[Tensor], lr_scale: float, axons: Axons | None = None
    ) -> None:
        self.axons = axons
        self.layers, self.hidden, self.output = layers, layers[:-1], layers[-1]
        self.lr_scale = 0.0 if credit == "frozen" else lr_scale
        self.feedback = [balanced(uniform) for uniform in feedback]
        self.origin = self.output.weight.clone() if credit == "mirrored" and self.hidden else None
        """Weights that the output began with, ``(agents, out, pre)``, where feedback mirrors what has come to them."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Neurons of every layer."""
        return tuple(math.prod(layer.synapse.post_shape) for layer in self.layers)

    @property
    def neurons(self) -> tuple[State, ...]:
        """State of the neurons of every layer."""
        return *(layer.neurons for layer in self.layers), *((self.axons.under_way,) if self.axons else ())

    @neurons.setter
    def neurons(self, states: tuple[State, ...]) -> None:
        for layer, state in zip(self.layers, self._of_layers(states), strict=True):
            layer.neurons = state
        if self.axons:
            self.axons.under_way = states[-1]

    def fresh_neurons(self, envs: int) -> tuple[State, ...]:
        """Neurons of every layer at rest, in ``envs`` envs per agent."""
        under_way = (self.axons.start(envs),) if self.axons else ()
        return *(layer.fresh_neurons(envs) for layer in self.layers), *under_way

    def forward(
        self, pre: Tensor, uniforms: list[Tensor], neurons: tuple[State, ...]
    ) -> tuple[tuple[Tensor, ...], tuple[State, ...]]:
        """Spikes of the input as they arrive, and of every layer, and the neurons after a window; changes nothing in the network.

        pre: as they are fired, ``(ticks, agents, envs, pre)``. uniforms: numbers for the noise of each layer. All spikes are
        ``(ticks, agents, envs, neurons)``.
        """
        under_way = []
        if self.axons:
            pre, left = self.axons.arrive(pre, neurons[-1])
            under_way = [left]
        spikes, after = [pre], []
        for layer, uniform, state in zip(self.layers, uniforms, self._of_layers(neurons), strict=True):
            pre = _shaped(spikes[-1], layer.synapse.pre_shape)
            post, state = layer.forward(pre, _shaped(uniform, layer.synapse.post_shape), state)
            spikes.append(post.flatten(3))
            after.append(state)
        return tuple(spikes), (*after, *under_way)

    def remember(self, spikes: tuple[Tensor, ...], gate: Tensor | None, power: Tensor) -> None:
        """Make the spike pairs of the window eligible; spikes as `forward` gives them, gate ``(agents, envs, out)`` or None.

        Each layer shares its gate out among its input (`three_factor.shared_gate`). power: of the first, ``(agents, envs)``.
        """
        powers = [power, *(post.sum(0).square_().sum(-1) for post in spikes[1:-1])]
        for layer, pre, post, own, power in zip(self.layers, spikes, spikes[1:], self._gates(gate), powers):
            power = power.reshape(*power.shape, *[1] * len(layer.synapse.post_shape))
            gates = shared_gate(torch.ones_like(power) if own is None else own, power)
            fitting = gates.expand(*pre.shape[1:3], *layer.synapse.post_shape)
            layer.remember(_shaped(pre, layer.synapse.pre_shape), _shaped(post, layer.synapse.post_shape), fitting)

    def hertz(self, spikes: tuple[Tensor, ...]) -> list[Tensor]:
        """Mean rates of every layer's neurons, ``(agents, *post)`` Hz; spikes as `forward` gives them."""
        each = zip(self.layers, spikes[1:], strict=True)
        return [layer.hertz(_shaped(post, layer.synapse.post_shape)) for layer, post in each]

    def regulate(self, hertz: list[Tensor]) -> None:
        """Let the homeostasis of every layer see its rates in a window, as `hertz` gives them."""
        for layer, rates in zip(self.layers, hertz, strict=True):
            layer.regulate(rates)

    def learn(self, m: Tensor, lr: Tensor) -> None:
        """Write the modulator ``m (agents, envs)`` into all weights; lr ``(agents,)``. `clamp` follows."""
        self.output.learn(m, lr)
        if self.lr_scale:
            for layer in self.hidden:
                layer.learn(m, lr * self.lr_scale)

    def clamp(self) -> None:
        """Keep all weights within their bounds."""
        for layer in self.layers:
            layer.clamp()

    def reset(self, done: Tensor) -> None:
        """Fresh state in the envs that finished, ``done (agents, envs)`` bool; the others stay as they are, bit for bit."""
        for layer in self.layers:
            layer.reset(done)
        if self.axons:
            self.axons.under_way[done] = 0

    def rest(self, neurons: tuple[State, ...], done: Tensor) -> None:
        """Put neurons of `fresh_neurons` back to rest in the envs with ``done``, in place."""
        for layer, state in zip(self.layers, self._of_layers(neurons), strict=True):
            models.reset(layer.neuron, state, done)
        if self.axons:
            neurons[-1][done] = 0

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a checkpoint holds, by name."""
        feedback = {f"{layer.name}.feedback": b for layer, b in zip(self.hidden, self.feedback)}
        own = {name: tensor for layer in self.layers for name, tensor in layer.tensors().items()} | feedback
        if self.origin is not None:
            own["output.origin"] = self.origin
        return own | (self.axons.tensors() if self.axons else {})

    def per_env(self) -> set[str]:
        """Names of those of `tensors` that are held for every env."""
        return {name for part in (*self.layers, *filter(None, [self.axons])) for name in part.per_env()}

    def _of_layers(self, neurons: tuple[State, ...]) -> tuple[State, ...]:
        """Of `neurons`, all but what is under way."""
        return neurons[:-1] if self.axons else neurons

    def _gates(self, gate: Tensor | None) -> list[Tensor | None]:
        if gate is None:
            return [None] * len(self.layers)
        gates: list[Tensor | None] = [fed_back(gate, b) for b in self.feedback]
        if self.origin is not None:
            gates.append(_shaped(mirrored(gate, self.output.weight - self.origin), self.hidden[-1].synapse.post_shape))
        return [*gates, *[None] * (len(self.hidden) - len(gates)), gate]


def balanced(uniform: Tensor) -> Tensor:
    """Numbers in [0, 1) to feedback weights of mean 0 and variance 1 / out, ``(agents, *post, out)``."""
    return uniform.mul(2).sub_(1).mul_(math.sqrt(3.0 / uniform.shape[-1]))


def fed_back(gate: Tensor, feedback: Tensor) -> Tensor:
    """Gate ``(agents, envs, *post)`` of a hidden layer: ``feedback (agents, *post, out)`` times ``gate (agents, envs, out)``."""
    rows = gate @ feedback.flatten(1, -2).transpose(1, 2)
    return _shaped(rows, tuple(feedback.shape[1:-1]))


def mirrored(gate: Tensor, grown: Tensor) -> Tensor:
    """Gate of the hidden neurons by weights that mirror those of the output.

        g_j = sum_k m_kj g_k / |m_j|

    gate: of the output neurons, g_k, ``(agents, envs, out)``. grown: what has come to the output's weights, m, ``(agents, out,
    pre)``. A synapse back from output k to hidden neuron j begins silent, and changes as the synapse from j to k does: both see
    the same spikes of both neurons and the same modulator, one of them in reversed order (mirrored STDP, Burbank 2015). So its
    weight is what has come to the other. The synapses back to a neuron are scaled to the length 1 together, as by synaptic
    scaling. Returns ``(agents, envs, pre)``.
    """
    length = grown.square().sum(1, keepdim=True).sqrt_().clamp_(min=LEAST)
    return gate @ (grown / length)


def _shaped(flat: Tensor, shape: tuple[int, ...]) -> Tensor:
    return flat if len(shape) == 1 else flat.unflatten(-1, shape)
