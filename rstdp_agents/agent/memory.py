"""What a population would take of this machine's memory, said before any of it is taken."""

from __future__ import annotations

import math

from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.memory import require
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.spiking.plasticity import PairRule
from rstdp_agents.spiking.synapses import Synapse

GENERATOR = 5_000
"""Bytes of an agent's random generator."""
GROUP = 200
"""Bytes of a group of entries while groups are drawn."""
NUMBER = 8
"""Bytes of a coordinate."""


def require_encoder(p: EncoderConfig) -> None:
    """As `require`, of an encoder's cells and groups."""
    cells = sum(p.cells) if p.code == "separate" else math.prod(p.cells) * len(p.cells)
    require(NUMBER * cells, f"`encoder.cells` of {' x '.join(map(str, p.cells))}")
    require(NUMBER * p.tilings, f"{p.tilings} `encoder.tilings`")
    groups = sum(count for count, _ in p.tuples)
    require(GROUP * groups + NUMBER * groups * p.levels, f"{groups} `encoder.tuples` of {p.levels} levels")


def require_agents(
    config: AgentConfig, synapses: list[Synapse], rule: PairRule, agents: int, envs: int, number: int
) -> None:
    """As `require`, of a population in ``envs`` envs each; number: bytes of one of its numbers.

    Counted are weights and eligibilities, of the critic too, visits of inputs, and the spikes of a window.
    """
    ticks, sizes = config.simulation.ticks, [math.prod(synapses[0].pre_shape)]
    sizes += [math.prod(synapse.post_shape) for synapse in synapses]
    traces = len(rule.terms) if rule.decays(ticks, config.simulation.dt)[1] else 0
    weights = sum(math.prod(synapse.weight_shape) for synapse in synapses)
    critic = sizes[0] * (config.modulation.critic_neurons if config.modulator == "td-spiking" else 1)
    each = weights * (1 + traces * envs) + critic * (1 + envs) + sizes[0] + envs * ticks * sum(sizes)
    shape = " -> ".join(map(str, sizes))
    spiking = f" and {config.modulation.critic_neurons} of the critic" if config.modulator == "td-spiking" else ""
    what = f"{agents} agent(s) of {shape} neurons{spiking} with {envs} env(s) each and {ticks} ticks per step"
    require(agents * (number * each + GENERATOR) + number * ticks**2, what)
