"""Constants of a configuration, as compiled code takes them: by name, each from where its part is defined."""

from __future__ import annotations

import math
from typing import NamedTuple

from rstdp_agents.agent.fused.lazy_rows import FORGOTTEN
from rstdp_agents.agent.modulators import ModulatorConstants, modulator_constants
from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.agent.spiking_critic import SpikingCritic, SpikingCriticConstants
from rstdp_agents.codecs.decoders.options import DecoderConstants, decoder_constants
from rstdp_agents.spiking.plasticity.constants import RuleConstants, rule_constants


class Constants(NamedTuple):
    """Of one agent, and of all of its layers."""

    rule: RuleConstants
    modulator: ModulatorConstants
    critic: SpikingCriticConstants
    decoder: DecoderConstants
    p_max: float
    """Probability per tick of a spike of the most active input."""
    lifetime: int
    """Steps after which an input that was active has nothing left to learn."""
    w_min: float
    w_max: float
    mu: float
    """Of `three_factor.soft_change`."""
    dale: bool
    """Whether inputs of even number, before a convolution their channels, excite and the others inhibit."""
    plane: int
    """Inputs of a channel: 1 but before a convolution."""


def constants_of(parts: AgentParts) -> Constants:
    """The constants of an agent's parts."""
    layer, config = parts.layer, parts.config
    rule = rule_constants(layer.rule, config.simulation.ticks, layer.dt)
    modulator = modulator_constants(parts.modulator, config.modulation, config.simulation.ticks, layer.dt)
    return Constants(
        rule,
        modulator,
        parts.modulator.constants if isinstance(parts.modulator, SpikingCritic) else SpikingCriticConstants(),
        decoder_constants(config.decoder),
        parts.p_max,
        lifetime(max(rule.decay_z, modulator.trace_decay)),
        *layer.bounds,
        layer.mu,
        layer.dale,
        math.prod(parts.network.layers[0].synapse.pre_shape[1:]),
    )


def lifetime(decay: float) -> int:
    """Steps in which a trace with this decay per step becomes as good as nothing."""
    if decay >= 1.0:
        return 2**30
    return max(2, math.ceil(math.log(FORGOTTEN) / math.log(decay)) if decay > 0.0 else 0)
