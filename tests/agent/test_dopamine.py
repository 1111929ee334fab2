"""What synapses feel of a modulator that goes on: its level, and what is learnt of it."""

import math

import numpy as np
import pytest
import torch

from rstdp_agents.codecs.transition import Transition
from rstdp_agents.spiking.agent_random import AgentRandom
from tests.helpers import cartpole_agent, observations

KEEP = math.exp(-10.0 / 40.0)
REWARDS = [1.0, 0.0, 0.0, 2.0, 0.0, 0.0]


def felt(backend, tau, ended=None, rewards=REWARDS, envs=1, **changes):
    """Levels in each step of two agents whose modulator is the reward; an episode ends in step ``ended``."""
    settings = {
        "modulator": "reward",
        "modulation.gain": "fixed",
        "modulation.novelty": 0.0,
        "modulation.tau_dopamine": tau,
    }
    agent = cartpole_agent(range(2), envs, backend=backend, **settings, **changes)
    agent.begin(observations(2, envs, 0))
    levels, none = [], np.zeros((2, envs), dtype=bool)
    for i, reward in enumerate(rewards):
        agent.step(Transition(observations(2, envs, i + 1), np.full((2, envs), reward), none | (i == ended), none))
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


def said(backend, m, steps=300, **changes):
    """What 100 dopamine neurons of 40 Hz say of a modulator that stays the same, two agents one after the other."""
    neurons = {"modulation.dopamine_neurons": 100, "modulation.dopamine_hz": 40.0, "plasticity.lr": 0.0}
    return np.array(felt(backend, 0.0, rewards=[m] * steps, **neurons, **changes)[0])


@pytest.mark.parametrize("m", [0.0, 0.8, -0.6])
def test_dopamine_neurons_say_the_modulator_on_average_and_vary_by_the_root_of_their_spikes(m):
    found, expected = said("fused", m), 100 * 40.0 * 0.01
    chance = 1.0 - math.exp(-0.04 * (1.0 + m))
    assert found.mean() == pytest.approx(chance / (1.0 - math.exp(-0.04)) - 1.0, abs=3 * math.sqrt(2 / expected / 300))
    assert found.std() == pytest.approx(math.sqrt((1.0 + m) / expected), rel=0.15)


def test_dopamine_neurons_cannot_say_less_than_silence():
    assert (said("fused", -1.0, 20) == -1.0).all()
    assert (said("torch", -8.0, 20) == -1.0).all()


@pytest.mark.parametrize("ticks", [10, 40])
def test_compiled_dopamine_neurons_fire_the_same_spikes(ticks):
    changes = {"simulation.ticks": ticks, "envs": 3, "network.dale": True}
    assert said("fused", 0.3, 40, **changes) == pytest.approx(said("torch", 0.3, 40, **changes), abs=1e-6)


def test_dopamine_neurons_of_an_env_and_of_a_window_fire_apart_from_others_and_from_what_chooses():
    random = AgentRandom((5,), torch.device("cpu"), torch.float32)
    whole = random.windows(2, 10, (4,), draws=3)
    more = random.beyond(2, 43, 20)
    assert more.shape == (1, 2, 20)
    assert len(torch.cat([each.flatten() for each in (*whole, more)]).unique()) == 2 * (40 + 3 + 20)
    random.windows(2, 10, (4,), draws=3)
    assert not torch.isin(random.beyond(2, 43, 20), more).any()


def test_dopamine_neurons_say_nothing_of_a_step_without_an_action():
    agent = cartpole_agent(range(2), backend="torch", **{"modulation.dopamine_neurons": 50})
    agent.begin(observations(2, 1, 0))
    dopamine = agent._backend.parts.dopamine
    restarted = torch.tensor([[True], [False]])
    assert dopamine(torch.full((2, 1), 0.7), restarted)[0, 0] == 0.0
    assert dopamine(torch.full((2, 1), 0.7), restarted)[1, 0] != 0.0
