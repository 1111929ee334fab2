"""Grids of a few hundred states: one input neuron for each."""

from __future__ import annotations

from rstdp_agents.presets.types import Presets

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

PRESETS: Presets = {
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
}
