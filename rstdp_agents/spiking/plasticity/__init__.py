"""Learning rules: each once, for every synapse."""

from rstdp_agents.base import plugins
from rstdp_agents.spiking.plasticity.base import PairRule as PairRule
from rstdp_agents.spiking.plasticity.options import PlasticityConfig
from rstdp_agents.spiking.plasticity.reward_switch import RewardSwitch as RewardSwitch
from rstdp_agents.spiking.plasticity.rstdp import RSTDP as RSTDP
from rstdp_agents.spiking.plasticity.rstdp import RSTDPET as RSTDPET

RULES: dict[str, type[PairRule]] = {"rstdp": RSTDP, "rstdp-et": RSTDPET, "reward-switch": RewardSwitch}


def build_rule(name: str, p: PlasticityConfig) -> PairRule:
    """The rule that the configuration names, its constants those of the settings."""
    return plugins.build("--rule", name, PairRule, p) if plugins.is_plugin(name) else plugins.filled(RULES[name], p)
