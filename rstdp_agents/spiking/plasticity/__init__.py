"""Learning rules: each once, for every synapse."""

from typing import Any

from rstdp_agents.base import plugins
from rstdp_agents.spiking.plasticity.base import PairRule as PairRule
from rstdp_agents.spiking.plasticity.options import PlasticityConfig
from rstdp_agents.spiking.plasticity.reward_switch import RewardSwitch as RewardSwitch
from rstdp_agents.spiking.plasticity.rstdp import RSTDP as RSTDP
from rstdp_agents.spiking.plasticity.rstdp import RSTDPET as RSTDPET


def build_rule(name: str, p: PlasticityConfig) -> PairRule:
    """The rule that the configuration names; reward-switch punishes with the amplitudes it rewards with."""
    if plugins.is_plugin(name):
        return plugins.build("--rule", name, PairRule, p)
    pairs: dict[str, Any] = {"a_plus": p.a_plus, "a_minus": p.a_minus, "tau_plus": p.tau_plus, "tau_minus": p.tau_minus}
    if name == "rstdp":
        return RSTDP(**pairs)
    if name == "rstdp-et":
        return RSTDPET(**pairs, tau_e=p.tau_e)
    return RewardSwitch(**pairs, tau_e=p.tau_e, a_plus_punished=p.a_plus, a_minus_punished=p.a_minus)
