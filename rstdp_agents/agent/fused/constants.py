"""Constants of a configuration, as compiled code takes them: by name, each from where its part is defined."""

from __future__ import annotations

from typing import NamedTuple

from rstdp_agents.agent.modulators import ModulatorConstants, modulator_constants
from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.codecs.decoders.options import DecoderConstants, decoder_constants
from rstdp_agents.equations.neuron import LIFConstants, lif_constants
from rstdp_agents.equations.rate_control import HomeostasisConstants, homeostasis_constants
from rstdp_agents.spiking.neurons import LIF
from rstdp_agents.spiking.plasticity.constants import RuleConstants, rule_constants


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


def constants_of(parts: AgentParts) -> Constants:
    """The constants of an agent's parts."""
    layer, config = parts.layer, parts.config
    assert isinstance(layer.neuron, LIF)  # `support.why_not` refuses others
    return Constants(
        lif_constants(layer.neuron, layer.dt),
        homeostasis_constants(layer.homeostasis_params, layer.window_ms),
        rule_constants(layer.rule, config.simulation.ticks, layer.dt),
        modulator_constants(parts.modulator, config.modulation),
        decoder_constants(config.decoder),
        parts.p_max,
        *layer.bounds,
    )
