"""Synapses: geometry alone, each one two linear maps (`current` and `hebb`)."""

from rstdp_agents.synapses.base import Synapse as Synapse
from rstdp_agents.synapses.geometry import Geometry as Geometry
from rstdp_agents.synapses.lateral import Lateral as Lateral
from rstdp_agents.synapses.linear import Linear as Linear
from rstdp_agents.synapses.one_to_one import OneToOne as OneToOne
