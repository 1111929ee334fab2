"""The agent learns, and its frozen twin does not."""

import numpy as np
import torch

from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.episodes import EpisodeTracker
from tests.helpers import cartpole_agent


def test_cartpole_is_learnt_and_the_frozen_twin_stays_where_it_was():
    seeds, learners = (0, 1, 2, 0, 1, 2), 3
    agent = cartpole_agent(seeds, lr_scale=torch.tensor([1.0] * learners + [0.0] * learners), backend="auto")
    envs, tracker = SerialGrid("CartPole-v1", {}, len(seeds), 1), EpisodeTracker(len(seeds), 1, None)
    action = agent.begin(envs.reset(seeds))
    for step in range(12_000):
        t = envs.step(action)
        action = agent.step(t)
        tracker.add(t, step)
    last = np.array([np.mean(list(record.recent)[-20:]) for record in tracker.records])
    assert last[:learners].min() > 100
    assert last[learners:].max() < 40
