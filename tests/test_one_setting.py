"""The default setting: it does not know the scale of observations or rewards, and learns tasks of which it knows nothing."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base.settings import override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.episodes import EpisodeTracker
from rstdp_agents.training.ranged import ranged


class Line(gym.Env):
    """A place between 0 and 1, in eighths: one action goes up, one down; reward is the place, minus what a step costs.

    obs, reward: factors on what is seen and paid. Ten steps are an episode.
    """

    observation_space, action_space = spaces.Box(-np.inf, np.inf, (2,)), spaces.Discrete(2)

    def __init__(self, obs=1.0, reward=1.0):
        self.factors = obs, reward

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.steps = int(self.np_random.integers(9)), 0
        return self._look(), {}

    def step(self, action):
        self.at = min(8, max(0, self.at + (1 if action else -1)))
        self.steps += 1
        return self._look(), (self.at / 8 - 0.25) * self.factors[1], False, self.steps == 10, {}

    def _look(self):
        return np.array([self.at / 8, (self.at % 2) / 2], np.float32) * np.float32(self.factors[0])


def lives(source, steps, kwargs=None, seeds=(0,), lr_scale=None, **changes):
    """The actions ``(steps, agents, 1)`` of the default setting in an env, and the returns of each agent."""
    config = override(RunConfig(), {"progress": False, **changes})
    config = ranged(config, source, kwargs or {})
    envs, tracker = SerialGrid(source, kwargs or {}, len(seeds), 1), EpisodeTracker(len(seeds), 1, None)
    agent = Agent(config.agent, envs.observation_space, envs.action_space, seeds=seeds, lr_scale=lr_scale)
    action, actions = agent.begin(envs.reset(seeds)), []
    for step in range(steps):
        t = envs.step(action)
        action = agent.step(t)
        actions.append(action)
        tracker.add(t, step)
    return np.stack(actions), [list(record.recent) for record in tracker.records]


@pytest.mark.parametrize("rule", ["rstdp-et", "rstdp", "reward-switch"])
def test_scales_of_observations_and_rewards_change_no_action(rule):
    """Factors that are powers of two, with which arithmetic is exact: the same actions, one and all."""
    rules = {"agent.rule": rule}
    actions, _ = lives(Line, 300, **rules)
    assert 0.0 < actions.mean() < 1.0
    for factors in ({"obs": 1024.0}, {"reward": 1024.0}, {"obs": 1024.0, "reward": 2.0**-10}):
        assert np.array_equal(lives(Line, 300, factors, **rules)[0], actions), factors


@pytest.mark.parametrize(("source", "steps", "better"), [(Line, 1_500, 1.0), ("CartPole-v1", 5_000, 20.0)], ids=str)
def test_it_learns_and_its_frozen_twin_does_not(source, steps, better):
    seeds = (0, 1, 2) * 2
    _, returns = lives(source, steps, seeds=seeds, lr_scale=torch.tensor([1.0] * 3 + [0.0] * 3))
    last = np.array([np.mean(each[-20:]) for each in returns])
    assert last[:3].min() > last[3:].max() + better
