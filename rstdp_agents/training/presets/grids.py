"""Grids of a few hundred states, with one input neuron for each."""

from __future__ import annotations

from rstdp_agents.training.presets.types import Presets, Serves

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

CLIFF = {  # a critic so slow that the first falls do not convince it; weights large enough for a nearly certain choice
    "agent.simulation.ticks": 20,
    "agent.decoder.neurons_per_action": 16,
    "agent.decoder.inverse_temperature": 20.0,
    "agent.plasticity.tau_e": 5.0,
    "agent.plasticity.lr": 1.0,
    "agent.plasticity.w_max": 3.0,
    "agent.modulation.reward_scale": 0.1,
    "agent.modulation.gamma": 0.99,
    "agent.modulation.lambda_": 0.3,
    "agent.modulation.critic_lr": 0.004,
    "agent.homeostasis.lr": 0.0,
}

TAXI = {
    **CLIFF,
    "agent.decoder.inverse_temperature": 30.0,
    "agent.plasticity.lr": 0.1,
    "agent.plasticity.w_max": 2.0,
    "agent.plasticity.tau_e": 10.0,
    "agent.modulation.critic_lr": 0.1,
}

MINIGRID = {  # a cell for each view
    **FROZENLAKE,
    "agent.encoder.code": "tuples",
    "agent.encoder.tuples": ((1, 0),),
    "agent.encoder.tuple_cells": 1024,
    "agent.decoder.neurons_per_action": 8,
    "agent.modulation.value_init": 1.0,
}

PRESETS: Presets = {
    "FrozenLake-v1": {
        "rstdp-et": {**FROZENLAKE, "agent.plasticity.lr": 0.5},
        "rstdp": {**FROZENLAKE, "agent.plasticity.lr": 0.04},
        "reward-switch": {**FROZENLAKE, "agent.plasticity.lr": 0.2, "agent.modulation.deadband": 0.2},
    },
    "FrozenLake8x8-v1": {
        "rstdp-et": {**FROZENLAKE8X8, "agent.plasticity.lr": 0.2, "agent.modulation.critic_lr": 0.1},
        "rstdp": {**FROZENLAKE8X8, "agent.plasticity.lr": 0.04},
        "reward-switch": {**FROZENLAKE8X8, "agent.plasticity.lr": 0.05, "agent.modulation.deadband": 0.1},
    },
    "CliffWalking-v1": {"rstdp-et": CLIFF},
    "Taxi-v4": {"rstdp-et": TAXI},
    "minigrid:MiniGrid-Empty-5x5-v0": {"rstdp-et": {**MINIGRID, "agent.plasticity.lr": 0.5}},
    "minigrid:MiniGrid-Empty-8x8-v0": {"rstdp-et": {**MINIGRID, "agent.plasticity.lr": 0.5}},
}

LAKE = {"is_slippery": (), "success_rate": (), "desc": (None,)}

SERVES: Serves = {
    "FrozenLake-v1": {**LAKE, "map_name": ("4x4",)},
    "FrozenLake8x8-v1": {**LAKE, "map_name": ("8x8",)},
    "CliffWalking-v1": {"is_slippery": ()},
    "Taxi-v4": {"is_rainy": (), "fickle_passenger": (), "rainy_probability": (), "fickle_probability": ()},
}
