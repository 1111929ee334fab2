"""Flight of rigid bodies."""

from __future__ import annotations

from rstdp_agents.training.presets.homeostasis import SLOW_PER_NEURON
from rstdp_agents.training.presets.types import Presets, Serves

LUNARLANDER = {
    "agent.encoder.low": (-1.0, -0.2, -1.2, -1.5, -0.8, -1.5, 0.0, 0.0),
    "agent.encoder.high": (1.0, 1.5, 1.2, 0.5, 0.8, 1.5, 1.0, 1.0),
    "agent.encoder.cells": (3, 4, 3, 4, 4, 3, 2, 2),
    "agent.encoder.width": (0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.2, 0.2),  # a leg has contact or has not
    "agent.encoder.floor": 0.05,
    "agent.plasticity.lr_halved_after": 400.0,
    "agent.decoder.inverse_temperature": 20.0,
    "agent.modulation.reward_scale": 0.02,
    "agent.modulation.gamma": 0.995,
    "agent.modulation.lambda_": 0.9,
    **SLOW_PER_NEURON,
}

PRESETS: Presets = {
    "LunarLander-v3": {
        "rstdp-et": {**LUNARLANDER, "agent.plasticity.lr": 0.5, "agent.plasticity.tau_e": 8.0},
        "rstdp": {**LUNARLANDER, "agent.plasticity.lr": 0.05},
        "reward-switch": {**LUNARLANDER, "agent.plasticity.lr": 0.05, "agent.modulation.deadband": 0.05},
    },
}

SERVES: Serves = {
    "LunarLander-v3": {
        "continuous": (False,), "gravity": (), "enable_wind": (), "wind_power": (), "turbulence_power": (),
    },
}  # fmt: skip
