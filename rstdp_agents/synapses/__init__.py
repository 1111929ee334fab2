"""Synapses: geometry alone, each one two linear maps (`current` and `hebb`)."""

from rstdp_agents.synapses.base import Synapse as Synapse
from rstdp_agents.synapses.linear import Linear as Linear
