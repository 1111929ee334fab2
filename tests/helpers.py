"""Small environments and agents that the tests share."""

from __future__ import annotations

from functools import cache

import gymnasium as gym
import numpy as np
import torch
from numba import njit

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.fused.active_pairs import CompiledPairs
from rstdp_agents.agent.fused.encoders import code_of, encode, most_active
from rstdp_agents.base.compiler import WholeCompiler
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.encoders.active_pairs import ActivePairs

CARTPOLE = gym.make("CartPole-v1")
PLACE_CELLS = {
    "encoder.code": "place-cells",
    "encoder.low": (-2.4, -3.0, -0.21, -3.0),
    "encoder.high": (2.4, 3.0, 0.21, 3.0),
    "encoder.cells": (3, 3, 6, 5),
    "encoder.width": 0.7,
    "decoder.inverse_temperature": 10.0,
    "plasticity.lr": 0.5,
    "homeostasis.tau": 1e5,
    "modulation.novelty": 0.0,
    "decoder.temperature_lr": 0.0,
    "decoder.exploration_lr": 0.0,
}
"""A simple agent, whatever the defaults have come to be: place cells, all of which fire."""
OF_A_RUN = {f"agent.{name}": value for name, value in PLACE_CELLS.items()}
TWO_ARMS = gym.spaces.Discrete(2)


class Corridor(gym.Env):
    """Five cells in a row; action 1 goes right, 0 left. Reward 1 and the end at the right, after at most ten steps.

    broken: what goes wrong, and when: ``("reward", 7, nan)`` makes the reward of the seventh step ever nan, "raise" raises.
    """

    observation_space = gym.spaces.Discrete(5)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, broken=None):
        self.broken, self.total = broken, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at = self.steps = 0
        return self.at, {}

    def step(self, action):
        self.at = min(4, max(0, self.at + (1 if action else -1)))
        self.steps += 1
        self.total += 1
        reward = float(self.at == 4)
        if self.broken and self.total == self.broken[1]:
            if self.broken[0] == "raise":
                raise RuntimeError("broken")
            reward = self.broken[2]
        return self.at, reward, self.at == 4, self.steps == 10, {}


gym.register("Corridor-v0", Corridor, reward_threshold=0.9)


def cartpole_agent(
    seeds=(0,), envs=1, dtype=torch.float32, rule="rstdp-et", lr_scale=None, backend="torch", device="cpu",
    threads=1, **changes
) -> Agent:  # fmt: skip
    config = override(AgentConfig(rule=rule), {**PLACE_CELLS, **changes})
    spaces = CARTPOLE.observation_space, CARTPOLE.action_space
    return Agent(
        config, *spaces, seeds=tuple(seeds), envs=envs, lr_scale=lr_scale, dtype=dtype, backend=backend, device=device,
        threads=threads,
    )  # fmt: skip


@cache
def from_python(function):
    """A function of compiled code, to be called by Python."""
    return njit(function.py_func, pipeline_class=WholeCompiler)


def compiled_rates(encoder, obs):
    """Rates ``(n, size)`` of observations ``(n, *obs)``, from the lists that compiled code makes of them."""
    most, code = most_active(encoder), code_of(encoder)
    rows = (
        CompiledPairs(encoder).listed(obs[None])[0] if isinstance(encoder, ActivePairs) else obs.reshape(len(obs), -1)
    )
    index, value = np.empty(most, np.int32), np.empty(most, np.float32)
    out = np.zeros((len(obs), encoder.size), np.float32)
    for row, rates in zip(rows, out, strict=True):
        many = from_python(encode)(row, code, 1, 1, index, value)
        assert len(set(index[:many])) == many, "an input is listed twice"
        rates[index[:many]] = value[:many]
    return out


def observations(agents, envs, seed=0):
    """Plausible CartPole observations ``(agents, envs, 4)``."""
    return np.random.default_rng(seed).normal(0, 0.1, (agents, envs, 4)).astype(np.float32)


def experience(agent, transition, steps=25, rows=slice(None)):
    """Actions of an agent that lives through the same for every population: ``rows`` of what four agents would see.

    transition: (agents, envs, step) -> Transition.
    """
    actions = [agent.begin(observations(4, agent.envs)[rows])]
    for i in range(steps):
        t = transition(4, agent.envs, i)
        arrays = {name: value[rows] for name, value in t._asdict().items() if isinstance(value, np.ndarray)}
        actions.append(agent.step(t._replace(**arrays)))
    return np.stack(actions)


def at_step(run, step, do):
    """Have ``do()`` called once a run has reached an env step."""
    record = run.monitor.record

    def watch(now, *noted):
        record(now, *noted)
        if now == step:
            do()

    run.monitor.record = watch
