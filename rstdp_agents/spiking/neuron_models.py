"""Which neuron model a layer gets."""

from __future__ import annotations

from typing import Literal

from rstdp_agents.base import plugins
from rstdp_agents.equations.neuron import LIFParams
from rstdp_agents.spiking.adex import AdEx
from rstdp_agents.spiking.alif import ALIF
from rstdp_agents.spiking.izhikevich import Izhikevich
from rstdp_agents.spiking.neurons import LIF, Neuron

NeuronName = Literal["lif", "alif", "adex", "izhikevich"]
MODELS: dict[str, type[Neuron]] = {"lif": LIF, "alif": ALIF, "adex": AdEx, "izhikevich": Izhikevich}


def build_neuron(name: str, p: LIFParams) -> Neuron:
    """The model that the configuration names; ``p`` are the settings, of which one of your own takes what it has fields for."""
    return plugins.build("--neuron", name, Neuron, p) if plugins.is_plugin(name) else plugins.filled(MODELS[name], p)
