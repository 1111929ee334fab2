"""Environments of this project, one file each, registered as ``rstdp/<Name>-v0`` when this package is imported.

Gymnasium finds them after ``import rstdp_envs`` or as ``rstdp_envs:rstdp/<Name>-v0``; `train.py` always knows them.
"""

from typing import Any

import gymnasium as gym

REGISTERED: dict[str, dict[str, Any]] = {
    "rstdp/Bandit-v0": {"entry_point": f"{__name__}.bandit:Bandit", "reward_threshold": 0.6},
    "rstdp/Bars-v0": {"entry_point": f"{__name__}.bars:Bars", "reward_threshold": 0.95},
    "rstdp/Catch-v0": {"entry_point": f"{__name__}.catch:Catch", "reward_threshold": 0.95},
    "rstdp/Cue-v0": {"entry_point": f"{__name__}.cue:Cue", "reward_threshold": 0.95},
    "rstdp/DelayedCue-v0": {"entry_point": f"{__name__}.delayed_cue:DelayedCue", "reward_threshold": 0.95},
    "rstdp/Pattern-v0": {"entry_point": f"{__name__}.pattern:Pattern", "reward_threshold": 0.95},
    "rstdp/Reach-v0": {"entry_point": f"{__name__}.reach:Reach", "reward_threshold": 0.95, "max_episode_steps": 30},
    "rstdp/TMaze-v0": {"entry_point": f"{__name__}.t_maze:TMaze", "reward_threshold": 0.9, "max_episode_steps": 50},
    "rstdp/WaterMaze-v0": {
        "entry_point": f"{__name__}.water_maze:WaterMaze",
        "reward_threshold": 0.8,
        "max_episode_steps": 100,
    },
    "rstdp/XOR-v0": {"entry_point": f"{__name__}.xor:XOR", "reward_threshold": 0.95},
}
"""Registration of each environment with Gymnasium."""


def register_envs() -> None:
    """Register all environments that Gymnasium does not know yet."""
    for name, facts in REGISTERED.items():
        if name not in gym.registry:
            gym.register(name, **facts)


register_envs()
