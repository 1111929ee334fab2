"""What differs from the defaults: for two of the rules, and for the environments on which the one setting falls short.

A preset has at most three constants, and says why it has them. What is no constant of learning, such as which two numbers of an
observation the maps show, may stand beside them.
"""

from __future__ import annotations

from rstdp_agents.training.presets.types import Presets, Serves, Settings

RULES: Settings = {
    "reward-switch": {  # it knows the sign of an error alone: small errors would outvote the few that matter
        "agent.modulation.deadband": 0.3,
        "agent.plasticity.lr": 0.2,
    },
}
"""The one setting of a rule, where it is not that of R-STDP-ET."""

BARS = {  # whether a bar lies or stands is no sum over pixels or pairs of them: a convolution learns to see it
    "agent.network.conv": ((16, 3, 1),),
}

PRESETS: Presets = {
    "CartPole-v1": {rule: {"map_dims": (2, 3)} for rule in ("rstdp-et", "rstdp", "reward-switch")},
    "ale_py:ALE/Breakout-v5": {"rstdp-et": {"env_kwargs": ("obs_type:ram",)}},
    "rstdp/Bars-v0": {"rstdp-et": BARS},
}

SERVES: Serves = {
    "CartPole-v1": {"sutton_barto_reward": ()},
    "ale_py:ALE/Breakout-v5": {"frameskip": (), "repeat_action_probability": (), "full_action_space": ()},
    "rstdp/Bars-v0": {"size": (5,)},
}
