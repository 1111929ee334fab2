"""Games of the Atari 2600, seen through the 128 bytes of its memory."""

from __future__ import annotations

from rstdp_agents.training.presets.types import Presets, Serves

BREAKOUT = {
    "env_kwargs": ("obs_type:ram",),
    "agent.encoder.code": "tuples",
    "agent.encoder.tuples": ((128, 1), (64, 2)),
    "agent.encoder.tuple_cells": 64,
    "agent.decoder.inverse_temperature": 20.0,
    "agent.modulation.lambda_": 0.9,
    "agent.modulation.critic_lr": 0.3,
    "agent.homeostasis.lr": 0.0,
}

PRESETS: Presets = {
    "ale_py:ALE/Breakout-v5": {"rstdp-et": {**BREAKOUT, "agent.plasticity.lr": 0.3}},
}

SERVES: Serves = {
    "ale_py:ALE/Breakout-v5": {"frameskip": (), "repeat_action_probability": (), "full_action_space": (False,)},
}
