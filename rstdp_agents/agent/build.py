"""From a configuration and two spaces to the parts of an agent, and to what runs them."""

from __future__ import annotations

import logging
import math
from dataclasses import replace

import gymnasium as gym
import torch
from torch import Tensor

from rstdp_agents.agent import memory
from rstdp_agents.agent.backend import Backend
from rstdp_agents.agent.config import AgentConfig, BackendName
from rstdp_agents.agent.dopamine import Dopamine
from rstdp_agents.agent.exploration import Exploration
from rstdp_agents.agent.fused.backend import FusedBackend
from rstdp_agents.agent.fused.support import why_not
from rstdp_agents.agent.gain import Gain
from rstdp_agents.agent.modulators import Modulator, build_modulator, modulator_constants
from rstdp_agents.agent.network_layers import build_network, network_synapses
from rstdp_agents.agent.novelty import Novelty
from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.agent.spiking_critic import SpikingCritic
from rstdp_agents.agent.statistics import Statistics
from rstdp_agents.agent.torch_backend import TorchBackend
from rstdp_agents.base import compiled, plugins
from rstdp_agents.codecs.decoders import Decoder
from rstdp_agents.codecs.decoders.build import build_decoder, check_mask
from rstdp_agents.codecs.decoders.options import DecoderConfig
from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.codecs.encoders import Encoder
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.images import image_shape
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.plasticity import build_rule

logger = logging.getLogger(__name__)


def build_parts(
    config: AgentConfig, observation_space: gym.Space, action_space: gym.Space, *, seeds: tuple[int, ...], envs: int,
    lr_scale: Tensor | None, device: torch.device, dtype: torch.dtype, encoder: Encoder | None,
) -> AgentParts:  # fmt: skip
    """The parts of a population; arguments and errors as of `agent.Agent`. What would not fit into memory is not begun."""
    agents, rows = len(seeds), Rows(observation_space)
    memory.require_encoder(config.encoder)
    encoder = (encoder or _encoder(observation_space, config)).to(device, dtype)
    config = with_targets(config, _decoder(action_space, config.decoder))
    decoder = _decoder(action_space, config.decoder).to(device, dtype)
    check_mask(rows, decoder)
    inputs = image_shape(encoder)
    if config.network.dale:
        inputs = 2 * inputs[0], *inputs[1:]
    synapses = network_synapses(config, inputs, decoder.size)
    rule = build_rule(config.rule, config.plasticity)
    memory.require_agents(config, synapses, rule, agents, envs, dtype.itemsize)
    random = AgentRandom(seeds, device, dtype)
    network = build_network(config, inputs, decoder.size, envs, random)
    p, size = config.modulation, math.prod(inputs)
    features = torch.zeros(agents, envs, size, device=device, dtype=dtype)
    scale = torch.ones(agents) if lr_scale is None else lr_scale
    modulator = _modulator(config, (agents, envs), tuple(inputs), device, dtype)
    constants = modulator_constants(modulator, p, config.simulation.ticks, config.simulation.dt)
    used = config.simulation.ticks * (size + sum(network.sizes)) + decoder.draws
    return AgentParts(
        config, (observation_space, action_space), envs, rows, encoder, decoder, network,
        modulator=modulator, gain=Gain(p, agents, device),
        dopamine=Dopamine(constants, random, used, (agents, envs), device, dtype),
        novelty=Novelty((agents, size), device, dtype),
        exploration=Exploration(decoder, config.decoder, scale.to(device, dtype), p.gamma * p.lambda_, envs),
        random=random,
        statistics=Statistics(agents, (size, *network.sizes), device),
        lr=(config.plasticity.lr / rule.gain(config.simulation.dt) * scale).to(device, dtype),
        m=torch.zeros(agents, envs, device=device, dtype=dtype),
        episodes=torch.zeros(agents, device=device, dtype=dtype), features=features,
    )  # fmt: skip


def build_backend(parts: AgentParts, name: BackendName, threads: int) -> Backend:
    """What runs the parts. Raises ValueError for ``fused`` where it cannot, saying why."""
    reason = "the torch backend was asked for" if name == "torch" else why_not(parts)
    if not reason:
        return FusedBackend(parts, threads)
    if name == "fused":
        raise ValueError(f"the fused backend cannot run this agent: {reason}")
    unusual = name == "auto" and not compiled.ENABLED
    logger.log(logging.WARNING if unusual else logging.DEBUG, "the fused backend is not used: %s", reason)
    return TorchBackend(parts)


def with_targets(config: AgentConfig, decoder: Decoder) -> AgentConfig:
    """The configuration with target rates for homeostasis: for all layers the given one, or what suits each and is within reach.

    That of the output is `homeostasis.rate_target`, that of hidden layers `network.hidden_hz`. Choices go by differences of
    rates in units of the target: `decoder.inverse_temperature` becomes what they are multiplied with at this target.
    """
    p, given, reach = config.decoder, config.homeostasis.rate_target, config.highest_rate / 2
    vector = isinstance(decoder, PopulationVector)
    target = given or min(p.vector_hz if vector else p.choice_hz, reach)
    sharp = (
        p if vector else replace(p, inverse_temperature=p.inverse_temperature * p.choice_hz / target, choice_hz=target)
    )
    return replace(
        config,
        decoder=sharp,
        homeostasis=replace(config.homeostasis, rate_target=target),
        network=replace(config.network, hidden_hz=given or min(config.network.hidden_hz, reach)),
    )


def _encoder(space: gym.Space, config: AgentConfig) -> Encoder:
    """The encoder of a configuration; convolutions want images, of which the hashed code makes none."""
    p = config.encoder
    if config.network.conv and p.code == "hashed":
        p = replace(p, code="place-cells", low=(), high=())
    if plugins.is_plugin(p.code):
        return plugins.build("--encoder", p.code, Encoder, space, p)
    return build_encoder(space, p)


def _decoder(space: gym.Space, p: DecoderConfig) -> Decoder:
    if plugins.is_plugin(p.code):
        return plugins.build("--decoder", p.code, Decoder, space, p)
    return build_decoder(space, p)


def _modulator(
    config: AgentConfig, count: tuple[int, int], inputs: tuple[int, ...], device: torch.device, dtype: torch.dtype
) -> Modulator:
    """count: ``(agents, envs)``."""
    shape = (*count, math.prod(inputs))
    if config.modulator != "td-spiking":
        return build_modulator(config.modulator, config.modulation, shape, device, dtype)
    s = config.simulation
    return SpikingCritic(
        config.modulation, shape, device, dtype, ticks=s.ticks, dt=s.dt, rate_max=config.encoder.rate_max,
        dale=config.network.dale, layout=inputs,
    )  # fmt: skip
