"""Constants of a configuration, as compiled code takes them: by name, each from where its part is defined."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rstdp_agents.agent.modulators import ModulatorConstants, modulator_constants
from rstdp_agents.codecs.decoders.options import DecoderConstants, decoder_constants
from rstdp_agents.equations.neuron import LIFConstants, lif_constants
from rstdp_agents.equations.rate_control import HomeostasisConstants, homeostasis_constants
from rstdp_agents.spiking.plasticity.constants import RuleConstants, rule_constants

if TYPE_CHECKING:
    from rstdp_agents.agent.agent import Agent


class Constants(NamedTuple):
    """Of one agent."""

    neuron: LIFConstants
    homeostasis: HomeostasisConstants
    rule: RuleConstants
    modulator: ModulatorConstants
    decoder: DecoderConstants
    p_max: float
    """Probability per tick of a spike of the most active input."""
    w_min: float
    w_max: float


def constants_of(agent: Agent) -> Constants:
    """The constants of the agent's configuration."""
    layer, config = agent.layer, agent.config
    return Constants(
        lif_constants(layer.neuron, layer.dt),
        homeostasis_constants(layer.homeostasis_params, layer.window_ms),
        rule_constants(layer.rule, config.simulation.ticks, layer.dt),
        modulator_constants(agent.modulator, config.modulation),
        decoder_constants(config.decoder),
        agent.p_max,
        *layer.bounds,
    )
