"""The layers of an agent's network, from its configuration."""

from __future__ import annotations

import math
from dataclasses import replace

from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base import validate
from rstdp_agents.equations.rate_control import HomeostasisParams
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.axons import Axons
from rstdp_agents.spiking.dale import presynaptic_signs
from rstdp_agents.spiking.layer import Layer
from rstdp_agents.spiking.network import Network
from rstdp_agents.spiking.neuron_models import build_neuron
from rstdp_agents.spiking.plasticity import build_rule
from rstdp_agents.spiking.synapses import Conv2d, Linear, Synapse


def build_network(
    config: AgentConfig, inputs: tuple[int, ...], outputs: int, envs: int, random: AgentRandom
) -> Network:
    """The network that `config.network` asks for; initial weights are drawn from the agents' own numbers.

    inputs: ``(pre,)``, or the ``(channels, height, width)`` of an image, which convolutions need.
    """
    *synapses, last = network_synapses(config, inputs, outputs)
    names = [f"hidden{i}" for i in range(1, len(synapses) + 1)]
    hidden = replace(config, homeostasis=of_hidden(config))
    layers = [
        build_layer(name, synapse, hidden_bound(config, synapse), hidden, envs, random)
        for name, synapse in zip(names, synapses)
    ]
    layers.append(build_layer("output", last, config.plasticity.w_init, config, envs, random))
    fed_back = {"feedback": synapses, "mirrored": synapses[:-1]}.get(config.network.credit, [])
    feedback = [
        random.uniform(math.prod(s.post_shape) * outputs).unflatten(1, (*s.post_shape, outputs)) for s in fed_back
    ]
    axons = _axons(config, math.prod(inputs), envs, random) if config.longest_delay else None
    return Network(layers, config.network.credit, feedback, config.network.lr_scale, axons)


def of_hidden(config: AgentConfig) -> HomeostasisParams:
    """Homeostasis of hidden layers: it follows its own estimate of their rate, which is at least twice as fast."""
    h, tau = config.homeostasis, config.network.hidden_tau
    return replace(h, rate_target=config.network.hidden_hz, tau=tau, tau_rate=min(h.tau_rate, tau / 2))


def _axons(config: AgentConfig, inputs: int, envs: int, random: AgentRandom) -> Axons:
    """Axons of the input, whose delays are whole ticks up to the longest, each as likely as another."""
    delay = random.uniform(inputs).mul_(config.longest_delay + 1).long()
    return Axons(delay, config.longest_delay, envs, config.simulation.fresh_each_window)


def network_synapses(config: AgentConfig, inputs: tuple[int, ...], outputs: int) -> list[Synapse]:
    """Synapses of all layers, first to last; arguments as of `build_network`."""
    hidden = hidden_synapses(config, inputs)
    return [*hidden, Linear(math.prod(hidden[-1].post_shape if hidden else inputs), outputs)]


def hidden_synapses(config: AgentConfig, inputs: tuple[int, ...]) -> list[Synapse]:
    """Synapses of the hidden layers, convolutions first. Raises ValueError for a convolution of what is no image."""
    synapses: list[Synapse] = []
    n = config.network
    validate.require(
        not n.conv or len(inputs) == 3,
        f"`network.conv` needs observations that are images; received an encoder of the shape {inputs}",
    )
    shape = inputs
    for channels, kernel, stride in n.conv:
        synapses.append(Conv2d(shape[0], channels, (shape[1], shape[2]), kernel, stride))
        shape = synapses[-1].post_shape
    for size in n.hidden:
        synapses.append(Linear(math.prod(shape), size))
        shape = (size,)
    return synapses


def hidden_bound(config: AgentConfig, synapse: Synapse) -> float:
    """Initial weights of a hidden layer are uniform within plus and minus this: network.w_init / sqrt(inputs per neuron)."""
    return config.network.w_init / math.sqrt(math.prod(synapse.weight_shape[1:]))


def build_layer(
    name: str, synapse: Synapse, bound: float, config: AgentConfig, envs: int, random: AgentRandom
) -> Layer:
    """A layer with initial weights uniform within plus and minus ``bound``, or of that size and their neuron's sign."""
    p, s, neuron = config.plasticity, config.simulation, build_neuron(config.neuron.model, config.neuron)
    start = random.uniform(math.prod(synapse.weight_shape)).mul_(2).sub_(1).mul_(bound)
    weight = start.clamp_(p.w_min, p.w_max).reshape(start.shape[0], *synapse.weight_shape)
    if config.network.dale:
        weight = weight.abs_() * presynaptic_signs(weight)
    return Layer(
        name, synapse, weight, envs, neuron=neuron, rule=build_rule(config.rule, p), homeostasis=config.homeostasis,
        bounds=(p.w_min, p.w_max), ticks=s.ticks, dt=s.dt, fresh_each_window=s.fresh_each_window,
        dale=config.network.dale, mu=p.mu,
    )  # fmt: skip
