"""Environments of this project, one file each, registered as ``rstdp/<Name>-v0`` when this package is imported.

Gymnasium finds them after ``import rstdp_envs`` or as ``rstdp_envs:rstdp/<Name>-v0``; `train.py` always knows them.
"""

from typing import Any

import gymnasium as gym


def _both(of: str, **facts: Any) -> dict[str, Any]:
    """The registration of an environment ``module:Class``, and of ``ClassVector``, which steps several of them at once."""
    return {"entry_point": f"{__name__}.{of}", "vector_entry_point": f"{__name__}.{of}Vector", **facts}


REGISTERED: dict[str, dict[str, Any]] = {
    "rstdp/Bandit-v0": _both("bandit:Bandit", reward_threshold=0.6),
    "rstdp/Bars-v0": _both("bars:Bars", reward_threshold=0.95),
    "rstdp/Catch-v0": _both("catch:Catch", reward_threshold=0.95),
    "rstdp/Cue-v0": _both("cue:Cue", reward_threshold=0.95),
    "rstdp/DelayedCue-v0": _both("delayed_cue:DelayedCue", reward_threshold=0.95),
    "rstdp/Pattern-v0": _both("pattern:Pattern", reward_threshold=0.95),
    "rstdp/Reach-v0": _both("reach:Reach", reward_threshold=0.95, max_episode_steps=30),
    "rstdp/TMaze-v0": _both("t_maze:TMaze", reward_threshold=0.9, max_episode_steps=50),
    "rstdp/WaterMaze-v0": _both("water_maze:WaterMaze", reward_threshold=0.8, max_episode_steps=100),
    "rstdp/XOR-v0": _both("xor:XOR", reward_threshold=0.95),
}
"""Registration of each environment with Gymnasium."""


def register_envs() -> None:
    """Register all environments that Gymnasium does not know yet."""
    for name, facts in REGISTERED.items():
        if name not in gym.registry:
            gym.register(name, **facts)


register_envs()
