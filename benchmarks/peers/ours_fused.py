"""This library, fused path: an `Agent` whose env step is one compiled call; and the whole training loop.

Its windows start from rest, where those of the peers and of our torch path go on; besides the layer it chooses an action.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from benchmarks.peers import ours, work
from benchmarks.peers.work import Run, Size
from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.encoders import Intensity
from rstdp_agents.codecs.transition import Transition

DISTRIBUTION = "rstdp_agents"
ACTIONS = 1


def prepare(size: Size) -> work.EnvStep:
    settings = {
        "rule": "rstdp-et" if size.trace else "rstdp",
        "simulation.ticks": size.ticks,
        "encoder.rate_max": 1000 * work.DENSITY,
        "decoder.neurons_per_action": size.post // ACTIONS,
        "decoder.gate": "none",
        "modulator": "reward",
        "plasticity.a_minus": 1.0,
        "plasticity.tau_plus": work.TAU_PRE,
        "plasticity.tau_minus": work.TAU_POST,
        "plasticity.tau_e": work.TAU_E,
        "plasticity.lr": work.LR,
        "neuron.tau_m": work.TAU_M,
    }
    agent = Agent(
        override(AgentConfig(), settings), gym.spaces.Box(0, 1, (size.pre,)), gym.spaces.Discrete(ACTIONS),
        seeds=tuple(range(size.agents)), envs=size.envs, backend="fused",
        encoder=Intensity(np.zeros(size.pre), np.ones(size.pre)),
    )  # fmt: skip
    agent.layer.weight.copy_(work.initial_weight(size).expand_as(agent.layer.weight))
    shape, nobody = (size.agents, size.envs), np.zeros((size.agents, size.envs), dtype=bool)
    reward = np.random.default_rng(0).normal(size=shape)
    t = Transition(np.ones((*shape, size.pre), dtype=np.float32), reward, nobody, nobody, None, any_done=False)
    agent.begin(t.obs)
    return lambda: agent.step(t)


def cartpole(metrics: bool, **settings: Any) -> Run:
    return ours.cartpole(metrics, "fused", **settings)
