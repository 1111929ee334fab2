"""Settings found for the environments we know, by rule; any other environment starts from the defaults.

Where every step brings the same reward until the episode fails (CartPole), the critic starts from the value of never failing,
reward / (1 - gamma): then nothing is news but the failure. Where every step costs, zero is optimistic already.
"""

from __future__ import annotations

from typing import Any

from rstdp_agents.config import RuleName, RunConfig, override

CARTPOLE = {
    "map_dims": (2, 3),
    "agent.encoder.low": (-2.4, -3.0, -0.21, -3.0),
    "agent.encoder.high": (2.4, 3.0, 0.21, 3.0),
    "agent.encoder.cells": (4, 4, 6, 6),
    "agent.encoder.width": 0.55,
    "agent.encoder.floor": 0.02,
    "agent.modulation.value_init": 50.0,
    "agent.homeostasis.lr": 1e-5,
}

ACROBOT = {
    "map_dims": (4, 5),
    "agent.encoder.low": (-1.0, -1.0, -1.0, -1.0, -8.0, -16.0),
    "agent.encoder.high": (1.0, 1.0, 1.0, 1.0, 8.0, 16.0),
    "agent.encoder.cells": (3, 3, 3, 3, 7, 7),
    "agent.encoder.floor": 0.05,
    "agent.decoder.inverse_temperature": 20.0,
    "agent.modulation.reward_scale": 0.1,
    "agent.modulation.gamma": 0.99,
    "agent.modulation.lambda_": 0.9,
    "agent.modulation.critic_lr": 1.0,
    "agent.homeostasis.lr": 1e-5,
}

MOUNTAINCAR = {
    "agent.encoder.code": "tiles",
    "agent.encoder.cells": (8, 8),
    "agent.encoder.tilings": 8,
    "agent.plasticity.tau_e": 14.4,
    "agent.decoder.inverse_temperature": 20.0,
    "agent.modulation.reward_scale": 0.1,
    "agent.modulation.gamma": 0.99,
    "agent.modulation.lambda_": 0.9,
    "agent.homeostasis.lr": 1e-5,
}

FROZENLAKE = {
    "agent.simulation.ticks": 20,
    "agent.decoder.neurons_per_action": 16,
    "agent.decoder.inverse_temperature": 30.0,
    "agent.plasticity.tau_e": 28.8,
    "agent.modulation.gamma": 0.99,
    "agent.modulation.lambda_": 0.9,
    "agent.modulation.value_init": 0.5,
    "agent.modulation.critic_lr": 0.1,
    "agent.homeostasis.lr": 0.0,
}
FROZENLAKE8X8 = {**FROZENLAKE, "agent.modulation.value_init": 1.0, "agent.modulation.critic_lr": 0.2}

CLIFF = {
    "agent.decoder.neurons_per_action": 16,
    "agent.decoder.inverse_temperature": 60.0,
    "agent.plasticity.tau_e": 5.0,
    "agent.plasticity.lr": 0.1,
    "agent.modulation.reward_scale": 0.1,
    "agent.modulation.gamma": 0.99,
    "agent.modulation.lambda_": 0.5,
    "agent.modulation.critic_lr": 0.3,
    "agent.homeostasis.lr": 0.0,
}

TAXI = {
    **CLIFF,
    "agent.simulation.ticks": 20,
    "agent.plasticity.tau_e": 10.0,
    "agent.plasticity.lr": 0.08,
}

LUNARLANDER = {
    "agent.encoder.low": (-1.0, -0.2, -1.2, -1.5, -0.8, -1.5, 0.0, 0.0),
    "agent.encoder.high": (1.0, 1.5, 1.2, 0.5, 0.8, 1.5, 1.0, 1.0),
    "agent.encoder.cells": (3, 4, 3, 4, 4, 3, 2, 2),
    "agent.encoder.width": 0.6,
    "agent.encoder.floor": 0.05,
    "agent.plasticity.lr": 0.5,
    "agent.plasticity.lr_halved_after": 400.0,
    "agent.decoder.inverse_temperature": 20.0,
    "agent.modulation.reward_scale": 0.02,
    "agent.modulation.gamma": 0.995,
    "agent.modulation.lambda_": 0.9,
    "agent.homeostasis.lr": 1e-5,
}

PENDULUM = {
    "agent.simulation.ticks": 20,
    "agent.encoder.cells": (7, 7, 9),
    "agent.encoder.floor": 0.05,
    "agent.plasticity.tau_e": 28.8,
    "agent.decoder.neurons_per_action": 16,
    "agent.decoder.exploration": 0.2,
    "agent.modulation.reward_scale": 0.1,
    "agent.modulation.gamma": 0.95,
    "agent.modulation.lambda_": 0.9,
    "agent.modulation.critic_lr": 1.0,
    "agent.homeostasis.lr": 1e-5,
}

MOUNTAINCAR_CONTINUOUS = {
    "agent.encoder.cells": (12, 12),
    "agent.decoder.neurons_per_action": 16,
    "agent.decoder.exploration": 0.5,
    "agent.modulation.value_init": 1.0,
    "agent.modulation.reward_scale": 0.01,
    "agent.modulation.gamma": 0.99,
    "agent.modulation.lambda_": 0.9,
    "agent.homeostasis.lr": 1e-5,
}

PRESETS: dict[str, dict[RuleName, dict[str, Any]]] = {
    "CartPole-v1": {
        "rstdp-et": {
            **CARTPOLE,
            "agent.encoder.cells": (6, 4, 6, 6),
            "agent.plasticity.lr": 0.5,
            "agent.plasticity.lr_halved_after": 75.0,
        },
        "rstdp": {**CARTPOLE, "agent.plasticity.lr": 0.1},
        "reward-switch": {
            **CARTPOLE,
            "agent.plasticity.lr": 0.5,
            "agent.plasticity.lr_halved_after": 50.0,
            "agent.modulation.deadband": 0.5,
        },
    },
    "Acrobot-v1": {
        "rstdp-et": {**ACROBOT, "agent.plasticity.lr": 0.2},
        "rstdp": {**ACROBOT, "agent.plasticity.lr": 0.03},
        "reward-switch": {**ACROBOT, "agent.plasticity.lr": 0.1, "agent.modulation.deadband": 0.05},
    },
    "MountainCar-v0": {
        "rstdp-et": {**MOUNTAINCAR, "agent.plasticity.lr": 0.7},
        "rstdp": {**MOUNTAINCAR, "agent.plasticity.lr": 0.1},
        "reward-switch": {**MOUNTAINCAR, "agent.plasticity.lr": 0.05, "agent.modulation.deadband": 0.05},
    },
    "FrozenLake-v1": {
        "rstdp-et": {**FROZENLAKE, "agent.plasticity.lr": 0.5},
        "rstdp": {**FROZENLAKE, "agent.plasticity.lr": 0.04},
        "reward-switch": {**FROZENLAKE, "agent.plasticity.lr": 0.05, "agent.modulation.deadband": 0.1},
    },
    "FrozenLake8x8-v1": {
        "rstdp-et": {**FROZENLAKE8X8, "agent.plasticity.lr": 0.5},
        "rstdp": {**FROZENLAKE8X8, "agent.plasticity.lr": 0.04},
        "reward-switch": {**FROZENLAKE8X8, "agent.plasticity.lr": 0.05, "agent.modulation.deadband": 0.1},
    },
    "CliffWalking-v1": {"rstdp-et": CLIFF},
    "Taxi-v4": {"rstdp-et": TAXI},
    "LunarLander-v3": {"rstdp-et": LUNARLANDER},
    "Pendulum-v1": {
        "rstdp-et": {**PENDULUM, "agent.plasticity.lr": 0.8},
        "rstdp": {**PENDULUM, "agent.plasticity.lr": 0.02},
        "reward-switch": {**PENDULUM, "agent.plasticity.lr": 0.2, "agent.modulation.deadband": 0.1},
    },
    "MountainCarContinuous-v0": {
        "rstdp-et": {**MOUNTAINCAR_CONTINUOUS, "agent.plasticity.lr": 0.8},
        "rstdp": {**MOUNTAINCAR_CONTINUOUS, "agent.plasticity.lr": 0.1},
        "reward-switch": {**MOUNTAINCAR_CONTINUOUS, "agent.plasticity.lr": 0.2, "agent.modulation.deadband": 0.01},
    },
}

# Our own tasks (package `envs`)

CUE = {"agent.decoder.inverse_temperature": 30.0, "agent.modulation.critic_lr": 0.2, "agent.homeostasis.lr": 0.0}
XOR = {**CUE, "agent.encoder.cells": (2, 2), "agent.encoder.floor": 0.5}
DELAYEDCUE = {
    **CUE,
    "agent.plasticity.tau_e": 60.0,
    "agent.modulation.gamma": 1.0,
    "agent.modulation.value_init": 0.25,
    "agent.modulation.critic_lr": 0.02,
}
BANDIT = {  # narrow bounds and an unchanging expectation: what was learnt is as quickly unlearnt
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
    "agent.homeostasis.lr": 1e-5,
}
WATERMAZE = {
    **REACH,
    "agent.encoder.cells": (12, 12),
    "agent.modulation.gamma": 0.98,
    "agent.modulation.lambda_": 0.9,
}

PRESETS |= {
    "rstdp/Bandit-v0": {
        "rstdp-et": {**BANDIT, "agent.plasticity.lr": 4.0},
        "rstdp": {**BANDIT, "agent.plasticity.lr": 0.3},
        "reward-switch": {**BANDIT, "agent.plasticity.lr": 2.0},
    },
    "rstdp/Reach-v0": {
        "rstdp-et": {**REACH, "agent.plasticity.lr": 0.8},
        "rstdp": {**REACH, "agent.plasticity.lr": 0.2},
        "reward-switch": {**REACH, "agent.plasticity.lr": 0.2, "agent.modulation.deadband": 0.01},
    },
    "rstdp/WaterMaze-v0": {
        "rstdp-et": {**WATERMAZE, "agent.plasticity.lr": 2.0},
        "rstdp": {**WATERMAZE, "agent.plasticity.lr": 0.2},
        "reward-switch": {**WATERMAZE, "agent.plasticity.lr": 0.2, "agent.modulation.deadband": 0.01},
    },
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
    "rstdp/TMaze-v0": {
        "rstdp-et": {**CUE, "agent.plasticity.lr": 6.0},
        "rstdp": {**CUE, "agent.plasticity.lr": 0.4},
        "reward-switch": {**CUE, "agent.plasticity.lr": 1.0},
    },
    "rstdp/XOR-v0": {
        "rstdp-et": {**XOR, "agent.plasticity.lr": 8.0},
        "rstdp": {**XOR, "agent.plasticity.lr": 0.4},
        "reward-switch": {**XOR, "agent.plasticity.lr": 4.0},
    },
}


def preset(env: str, rule: RuleName) -> RunConfig:
    """The configuration that a run of ``rule`` on ``env`` starts from."""
    config = override(RunConfig(), {"env": env, "agent.rule": rule})
    return override(config, PRESETS.get(env, {}).get(rule, {}))
