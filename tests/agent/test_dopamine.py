"""What synapses feel of a modulator that goes on: its level, and what is learnt of it."""

import math

import numpy as np
import pytest
import torch

from rstdp_agents.codecs.transition import Transition
from tests.helpers import cartpole_agent, observations

KEEP = math.exp(-10.0 / 40.0)
REWARDS = [1.0, 0.0, 0.0, 2.0, 0.0, 0.0]


def felt(backend, tau, ended=None, **changes):
    """Levels in each step of two agents whose modulator is the reward; an episode ends in step ``ended``."""
    settings = {
        "modulator": "reward",
        "modulation.gain": "fixed",
        "modulation.novelty": 0.0,
        "modulation.tau_dopamine": tau,
    }
    agent = cartpole_agent(range(2), backend=backend, **settings, **changes)
    agent.begin(observations(2, 1, 0))
    levels, none = [], np.zeros((2, 1), dtype=bool)
    for i, reward in enumerate(REWARDS):
        agent.step(Transition(observations(2, 1, i + 1), np.full((2, 1), reward), none | (i == ended), none))
        levels.append(agent.m[0, 0].item())
    return levels, agent


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_the_level_decays_and_forgets_at_the_end_of_an_episode(backend):
    first = [(1 - KEEP) * KEEP**i for i in range(3)]
    assert felt(backend, 40.0)[0] == pytest.approx(
        [*first, *((1 - KEEP) * (KEEP ** (i + 3) + 2 * KEEP**i) for i in range(3))]
    )
    assert felt(backend, 40.0, ended=1)[0] == pytest.approx(
        [*first[:2], 0.0, *(2 * (1 - KEEP) * KEEP**i for i in range(3))]
    )
    assert felt(backend, 0.0)[0] == REWARDS


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_synapses_learn_of_what_is_felt(backend):
    """A reward of 1 that comes in one step teaches less there, and goes on teaching what is eligible later."""
    learnt = {tau: felt(backend, tau)[1].layer.weight for tau in (0.0, 40.0)}
    assert (learnt[0.0] - learnt[40.0]).abs().max() > 1e-3
    torch.testing.assert_close(learnt[40.0], felt("torch", 40.0)[1].layer.weight, rtol=1e-4, atol=1e-6)
