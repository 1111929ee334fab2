"""Classic control: poles, cars on a hill, pendulums.

Where every step brings the same reward until the episode fails (CartPole), the critic starts from the value of never failing,
reward / (1 - gamma): then only the failure is a surprise. Where every step costs, zero is optimistic already.
"""

from __future__ import annotations

from rstdp_agents.training.presets.homeostasis import SLOW_PER_NEURON
from rstdp_agents.training.presets.types import Presets, Serves

CARTPOLE = {
    "map_dims": (2, 3),
    "agent.encoder.low": (-2.4, -3.0, -0.21, -3.0),
    "agent.encoder.high": (2.4, 3.0, 0.21, 3.0),
    "agent.encoder.cells": (4, 4, 6, 6),
    "agent.encoder.width": 0.55,
    "agent.encoder.floor": 0.02,
    "agent.modulation.value_init": 50.0,
    **SLOW_PER_NEURON,
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
    **SLOW_PER_NEURON,
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
    **SLOW_PER_NEURON,
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
    **SLOW_PER_NEURON,
}

MOUNTAINCAR_CONTINUOUS = {
    "agent.encoder.cells": (12, 12),
    "agent.decoder.neurons_per_action": 16,
    "agent.decoder.exploration": 0.5,
    "agent.modulation.value_init": 1.0,
    "agent.modulation.reward_scale": 0.01,
    "agent.modulation.gamma": 0.99,
    "agent.modulation.lambda_": 0.9,
    **SLOW_PER_NEURON,
}

PRESETS: Presets = {
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
        "rstdp-et": {**ACROBOT, "agent.plasticity.lr": 0.2, "agent.plasticity.tau_e": 8.0},
        "rstdp": {**ACROBOT, "agent.plasticity.lr": 0.03},
        "reward-switch": {**ACROBOT, "agent.plasticity.lr": 0.1, "agent.modulation.deadband": 0.05},
    },
    "MountainCar-v0": {
        "rstdp-et": {**MOUNTAINCAR, "agent.plasticity.lr": 0.7},
        "rstdp": {**MOUNTAINCAR, "agent.plasticity.lr": 0.1},
        "reward-switch": {**MOUNTAINCAR, "agent.plasticity.lr": 0.05, "agent.modulation.deadband": 0.05},
    },
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

SERVES: Serves = {
    "CartPole-v1": {"sutton_barto_reward": (False,)},
    "MountainCar-v0": {"goal_velocity": ()},
    "MountainCarContinuous-v0": {"goal_velocity": ()},
    "Pendulum-v1": {"g": ()},
}
