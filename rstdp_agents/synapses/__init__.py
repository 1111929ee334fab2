"""Synapses: geometry alone, each one two linear maps (`current` and `hebb`)."""

from rstdp_agents.synapses.base import Synapse as Synapse
from rstdp_agents.synapses.conv import Conv1d as Conv1d
from rstdp_agents.synapses.conv import Conv2d as Conv2d
from rstdp_agents.synapses.conv_transpose import ConvTranspose1d as ConvTranspose1d
from rstdp_agents.synapses.conv_transpose import ConvTranspose2d as ConvTranspose2d
from rstdp_agents.synapses.delayed import Delayed as Delayed
from rstdp_agents.synapses.delayed import DelayState as DelayState
from rstdp_agents.synapses.delayed import delay_init as delay_init
from rstdp_agents.synapses.delayed import delay_window as delay_window
from rstdp_agents.synapses.geometry import Geometry as Geometry
from rstdp_agents.synapses.lateral import Lateral as Lateral
from rstdp_agents.synapses.linear import Linear as Linear
from rstdp_agents.synapses.local import LocallyConnected2d as LocallyConnected2d
from rstdp_agents.synapses.one_to_one import OneToOne as OneToOne
