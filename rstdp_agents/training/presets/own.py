"""The project's own tasks (package `rstdp_envs`)."""

from __future__ import annotations

from rstdp_agents.training.presets.homeostasis import SLOW_PER_NEURON
from rstdp_agents.training.presets.types import Presets, Serves

CUE = {"agent.decoder.inverse_temperature": 30.0, "agent.modulation.critic_lr": 0.2, "agent.homeostasis.lr": 0.0}

XOR = {**CUE, "agent.encoder.cells": (2, 2), "agent.encoder.floor": 0.5}

DELAYEDCUE = {
    **CUE,
    "agent.plasticity.tau_e": 60.0,
    "agent.modulation.gamma": 1.0,
    "agent.modulation.value_init": 0.25,
    "agent.modulation.critic_lr": 0.02,
}

BANDIT = {  # narrow bounds and a constant expectation: what was learnt is unlearnt as quickly
    "agent.plasticity.w_min": -0.1,
    "agent.plasticity.w_max": 0.3,
    "agent.plasticity.tau_e": 3.0,
    "agent.decoder.inverse_temperature": 60.0,
    "agent.modulation.reward_scale": 200.0,
    "agent.modulation.gamma": 0.0,
    "agent.modulation.value_init": 0.5,
    "agent.modulation.critic_lr": 0.0,
    "agent.homeostasis.lr": 0.0,
}

REACH = {
    "agent.encoder.cells": (5, 5, 5, 5),
    "agent.encoder.floor": 0.05,
    "agent.decoder.neurons_per_action": 16,
    "agent.decoder.exploration": 0.5,
    "agent.modulation.gamma": 0.9,
    "agent.modulation.value_init": 0.5,
    "agent.modulation.critic_lr": 0.3,
    **SLOW_PER_NEURON,
}

WATERMAZE = {
    **REACH,
    "agent.encoder.cells": (12, 12),
    "agent.modulation.gamma": 0.98,
    "agent.modulation.lambda_": 0.9,
}

CATCH = {  # whether the ball will be caught depends on ball and paddle together, which half of the pixels often show
    "agent.simulation.ticks": 20,
    "agent.encoder.code": "tuples",
    "agent.encoder.tuples": ((24, 25),),
    "agent.encoder.tuple_cells": 128,
    "agent.plasticity.tau_e": 45.0,
    "agent.decoder.inverse_temperature": 15.0,
    "agent.modulation.gamma": 0.95,
    "agent.modulation.lambda_": 0.9,
    "agent.modulation.value_init": 1.0,
    "agent.modulation.critic_lr": 0.3,
    "agent.homeostasis.lr": 0.0,
}

BARS = {  # one layer cannot tell them apart: a convolution under the same rule, with larger steps than the output
    **CUE,
    "agent.network.conv": ((8, 3, 1),),
    "agent.network.w_init": 3.0,
    "agent.network.lr_scale": 3.0,
    "agent.modulation.value_init": 0.5,
}

PATTERN = {  # every answer is rewarded at once, and frames are unrelated
    "agent.encoder.code": "tuples",
    "agent.encoder.tuples": ((50, 1),),
    "agent.simulation.ticks": 20,
    "agent.plasticity.tau_e": 3.0,
    "agent.decoder.neurons_per_action": 16,
    "agent.decoder.inverse_temperature": 30.0,
    "agent.modulation.reward_scale": 10.0,
    "agent.modulation.gamma": 0.0,
    "agent.modulation.value_init": 0.5,
    "agent.modulation.critic_lr": 0.02,
    "agent.homeostasis.lr": 0.0,
}

PRESETS: Presets = {
    "rstdp/Bandit-v0": {
        "rstdp-et": {**BANDIT, "agent.plasticity.lr": 4.0},
        "rstdp": {**BANDIT, "agent.plasticity.lr": 0.3},
        "reward-switch": {**BANDIT, "agent.plasticity.lr": 2.0},
    },
    "rstdp/Bars-v0": {"rstdp-et": {**BARS, "agent.plasticity.lr": 0.5}},
    "rstdp/Catch-v0": {"rstdp-et": {**CATCH, "agent.plasticity.lr": 1.0}},
    "rstdp/Cue-v0": {
        "rstdp-et": {**CUE, "agent.plasticity.lr": 8.0},
        "rstdp": {**CUE, "agent.plasticity.lr": 0.4},
        "reward-switch": {**CUE, "agent.plasticity.lr": 4.0},
    },
    "rstdp/DelayedCue-v0": {
        "rstdp-et": {**DELAYEDCUE, "agent.plasticity.lr": 6.0},
        "rstdp": {**DELAYEDCUE, "agent.plasticity.lr": 0.05},  # stays at chance
        "reward-switch": {**DELAYEDCUE, "agent.plasticity.lr": 2.0, "agent.modulation.deadband": 0.1},
    },
    "rstdp/Pattern-v0": {"rstdp-et": {**PATTERN, "agent.plasticity.lr": 0.1}},
    "rstdp/Reach-v0": {
        "rstdp-et": {**REACH, "agent.plasticity.lr": 0.8},
        "rstdp": {**REACH, "agent.plasticity.lr": 0.2},
        "reward-switch": {**REACH, "agent.plasticity.lr": 0.2, "agent.modulation.deadband": 0.01},
    },
    "rstdp/TMaze-v0": {
        "rstdp-et": {**CUE, "agent.plasticity.lr": 6.0},
        "rstdp": {**CUE, "agent.plasticity.lr": 0.4},
        "reward-switch": {**CUE, "agent.plasticity.lr": 1.0},
    },
    "rstdp/WaterMaze-v0": {
        "rstdp-et": {**WATERMAZE, "agent.plasticity.lr": 2.0},
        "rstdp": {**WATERMAZE, "agent.plasticity.lr": 0.2},
        "reward-switch": {**WATERMAZE, "agent.plasticity.lr": 0.2, "agent.modulation.deadband": 0.01},
    },
    "rstdp/XOR-v0": {
        "rstdp-et": {**XOR, "agent.plasticity.lr": 8.0},
        "rstdp": {**XOR, "agent.plasticity.lr": 0.4},
        "reward-switch": {**XOR, "agent.plasticity.lr": 4.0},
    },
}

SERVES: Serves = {
    "rstdp/Bandit-v0": {"odds": (), "hazard": (), "pulls": ()},
    "rstdp/Bars-v0": {"size": (5,)},
    "rstdp/Catch-v0": {"rows": (10,), "columns": (5,)},
    "rstdp/Cue-v0": {"cues": (4,)},
    "rstdp/DelayedCue-v0": {"delay": (), "cues": (2, 4)},
    "rstdp/Pattern-v0": {"afferents": (50,), "rate": (), "jitter": (), "frames": (), "pattern_seed": ()},
    "rstdp/Reach-v0": {"speed": (), "radius": ()},
    "rstdp/TMaze-v0": {"length": (4,), "visible": ()},
    "rstdp/WaterMaze-v0": {"platform": (), "speed": (), "radius": ()},
}
