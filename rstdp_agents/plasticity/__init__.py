"""Learning rules: each once, for every synapse."""

from rstdp_agents.plasticity.base import PairRule as PairRule
from rstdp_agents.plasticity.reward_switch import RewardSwitch as RewardSwitch
from rstdp_agents.plasticity.rstdp import RSTDP as RSTDP
from rstdp_agents.plasticity.rstdp import RSTDPET as RSTDPET
