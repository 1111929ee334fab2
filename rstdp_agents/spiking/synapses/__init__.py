"""Synapses: geometry alone, each one two linear maps (`current` and `hebb`)."""

from rstdp_agents.spiking.synapses.base import Synapse as Synapse
from rstdp_agents.spiking.synapses.conv import Conv1d as Conv1d
from rstdp_agents.spiking.synapses.conv import Conv2d as Conv2d
from rstdp_agents.spiking.synapses.conv_transpose import ConvTranspose1d as ConvTranspose1d
from rstdp_agents.spiking.synapses.conv_transpose import ConvTranspose2d as ConvTranspose2d
from rstdp_agents.spiking.synapses.delayed import Delayed as Delayed
from rstdp_agents.spiking.synapses.delayed import DelayState as DelayState
from rstdp_agents.spiking.synapses.delayed import delay_init as delay_init
from rstdp_agents.spiking.synapses.delayed import delay_window as delay_window
from rstdp_agents.spiking.synapses.geometry import Geometry as Geometry
from rstdp_agents.spiking.synapses.lateral import Lateral as Lateral
from rstdp_agents.spiking.synapses.linear import Linear as Linear
from rstdp_agents.spiking.synapses.local import LocallyConnected2d as LocallyConnected2d
from rstdp_agents.spiking.synapses.one_to_one import OneToOne as OneToOne
