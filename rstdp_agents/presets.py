"""Settings found for the environments we know, by rule; any other environment starts from the defaults."""

from __future__ import annotations

from typing import Any

from rstdp_agents.config import RuleName, RunConfig, override

CARTPOLE = {
    "map_dims": (2, 3),
    "agent.encoder.low": (-2.4, -3.0, -0.21, -3.0),
    "agent.encoder.high": (2.4, 3.0, 0.21, 3.0),
    "agent.encoder.cells": (3, 3, 6, 5),
}

PRESETS: dict[str, dict[RuleName, dict[str, Any]]] = {
    "CartPole-v1": {
        "rstdp-et": {**CARTPOLE, "agent.plasticity.lr": 0.7},
        "rstdp": {**CARTPOLE, "agent.plasticity.lr": 0.1, "agent.modulation.gamma": 0.99},
        "reward-switch": {
            **CARTPOLE,
            "agent.encoder.cells": (5, 3, 6, 5),
            "agent.plasticity.lr": 0.1,
            "agent.modulation.critic_lr": 0.3,
            "agent.modulation.gamma": 0.995,
        },
    },
}


def preset(env: str, rule: RuleName) -> RunConfig:
    """The configuration that a run of ``rule`` on ``env`` starts from."""
    config = override(RunConfig(), {"env": env, "agent.rule": rule})
    return override(config, PRESETS.get(env, {}).get(rule, {}))
