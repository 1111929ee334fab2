"""Settings found for the environments we know, by rule; any other environment starts from the defaults."""

from __future__ import annotations

from rstdp_agents.config import RunConfig, override
from rstdp_agents.presets import atari, box2d, control, grids, own
from rstdp_agents.presets.types import Presets

PRESETS: Presets = {**control.PRESETS, **grids.PRESETS, **box2d.PRESETS, **atari.PRESETS, **own.PRESETS}


def preset(env: str, rule: str) -> RunConfig:
    """The configuration that a run of ``rule`` on ``env`` starts from."""
    config = override(RunConfig(), {"env": env, "agent.rule": rule})
    return override(config, PRESETS.get(key(env), {}).get(rule, {}))


def key(env: str) -> str:
    """What an environment is called in `PRESETS`: with the module that registers its id, or without."""
    return next((one for one in PRESETS if one.rpartition(":")[2] == env.rpartition(":")[2]), env)
