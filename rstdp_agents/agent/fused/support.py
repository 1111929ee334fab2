"""What the fused backend can run."""

from __future__ import annotations

import torch

from rstdp_agents.agent.modulators import RewardMinusBaseline, TDError
from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.agent.spiking_critic import SpikingCritic
from rstdp_agents.base.compiled import ENABLED
from rstdp_agents.base.plugins import is_plugin
from rstdp_agents.codecs.decoders import PopulationDecoder
from rstdp_agents.codecs.decoders.factored import FactoredDecoder, MixedDecoder
from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.spiking.adex import AdEx
from rstdp_agents.spiking.alif import ALIF
from rstdp_agents.spiking.izhikevich import Izhikevich
from rstdp_agents.spiking.neurons import LIF
from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET, RewardSwitch
from rstdp_agents.spiking.plasticity.dependence import GapToBound
from rstdp_agents.spiking.synapses import Conv2d, Linear

KNOWN = (
    LIF, ALIF, AdEx, Izhikevich, Linear, Conv2d, PopulationDecoder, PopulationVector, FactoredDecoder, MixedDecoder, TDError,
    RewardMinusBaseline, SpikingCritic, RSTDP, RSTDPET, RewardSwitch,
)  # fmt: skip
"""Neurons, synapses, decoders, modulators and rules that compiled code knows, and not what is derived from them."""


def why_not(parts: AgentParts) -> str:
    """Why an agent of these parts cannot run fused, in words; empty if it can."""
    if not ENABLED:
        return "NUMBA_DISABLE_JIT forbids to compile anything"
    for name in filter(is_plugin, (parts.config.decoder.code, parts.config.modulator)):
        return f"it does not know {name}"
    layer, synapses = parts.layer, (each.synapse for each in parts.network.layers)
    for part in (layer.neuron, *synapses, parts.decoder, parts.modulator, layer.rule):
        if type(part) not in KNOWN:
            return f"it does not know {type(part).__name__}"
    if parts.device.type != "cpu" or parts.dtype != torch.float32:
        return f"it runs float32 on the CPU, not {parts.dtype} on {parts.device}"
    for f in (layer.rule.f_post, layer.rule.f_pre):
        if f is not None and type(f) is not GapToBound:
            return f"it does not know {type(f).__name__}"
    return ""
