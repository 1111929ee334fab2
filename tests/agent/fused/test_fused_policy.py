"""The fused frozen policy against the torch path, on the same weights, observations and random numbers."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override
from rstdp_agents.training.evaluation import evaluate
from tests.agent.test_agent import transition
from tests.helpers import cartpole_agent, experience, observations

ENVS = 5


def pair(action_space=None, **settings):
    """A torch agent, and a fused one with the same weights and thresholds."""
    config = override(AgentConfig(), {"plasticity.w_init": 0.5, **settings})
    spaces = gym.spaces.Box(-1.0, 1.0, (3,)), action_space or gym.spaces.Discrete(3, start=4)
    agents = [Agent(config, *spaces, seeds=(1, 2), backend=backend) for backend in ("torch", "fused")]
    for agent in agents:
        agent.layer.homeostasis.offset.copy_(torch.linspace(-0.1, 0.1, agent.decoder.size).expand(2, -1))
    return agents


LATE = {"network.max_delay": 7.0, "simulation.fresh_each_window": False}


@pytest.mark.parametrize("greedy", [False, True])
@pytest.mark.parametrize("settings", [{}, {"simulation.ticks": 1}, {"homeostasis.param": "threshold"}, LATE], ids=str)
def test_actions_are_those_of_torch(settings, greedy):
    reference, agent = pair(**settings)
    torch_policy, policy = (a.policy(ENVS, (7, 8)) for a in (reference, agent))
    taken = []
    for i in range(8):
        obs = np.random.default_rng(i).uniform(-1, 1, (2, ENVS, 3))
        expected = torch_policy.act(obs, greedy)
        taken.append(policy.act(obs, greedy))
        assert np.array_equal(taken[-1], expected), i
    assert {4, 5, 6} == set(np.unique(taken))


@pytest.mark.parametrize("greedy", [False, True])
def test_continuous_actions_are_those_of_torch(greedy):
    reference, agent = pair(gym.spaces.Box(-2.0, np.array([1.0, 3.0], np.float32)))
    torch_policy, policy = (a.policy(ENVS, (7, 8)) for a in (reference, agent))
    obs = np.random.default_rng(0).uniform(-1, 1, (2, ENVS, 3))
    for _ in range(5):
        actions = policy.act(obs, greedy)
        np.testing.assert_allclose(actions, torch_policy.act(obs, greedy), rtol=1e-4, atol=1e-5)
    assert actions.shape == (2, ENVS, 2)


def test_rates_are_those_of_the_groups():
    agent = cartpole_agent(range(2), backend="fused")
    policy = agent.policy(ENVS, (7, 8))
    rates = policy.rates(observations(2, ENVS))
    assert rates.shape == (2, ENVS, 2)
    torch.testing.assert_close(rates, torch.from_numpy(policy._arrays["action_rates"]), rtol=1e-6, atol=1e-7)
    assert rates.unique().numel() > 3


def test_an_agent_acts_alone_as_in_a_population_whatever_it_trains_in():
    population, alone = cartpole_agent(range(4), 2, backend="fused"), cartpole_agent([2], 1, backend="fused")
    policies = population.policy(ENVS, (6, 7, 8, 9)), alone.policy(ENVS, (8,))
    for i in range(10):
        obs = observations(4, ENVS, i)
        together, single = policies[0].act(obs, False), policies[1].act(obs[2:3], False)
        assert np.array_equal(together[2:3], single)


def test_it_acts_on_what_the_agent_learns_and_changes_nothing_of_it():
    agent, untouched = (cartpole_agent(range(4), 2, backend="fused", **{"plasticity.lr": 5.0}) for _ in range(2))
    policy = agent.policy(ENVS, (1, 2, 3, 4))
    before = policy.rates(observations(4, ENVS))
    assert np.array_equal(experience(agent, transition), experience(untouched, transition))
    again = agent.policy(ENVS, (1, 2, 3, 4))
    assert not torch.equal(again.rates(observations(4, ENVS)), before)
    policy.rates(observations(4, ENVS))
    assert torch.equal(policy.rates(observations(4, ENVS)), [again.rates(observations(4, ENVS)) for _ in range(2)][1])
    for name, tensor in agent.tensors().items():
        assert torch.equal(untouched.tensors()[name], tensor), name


def test_evaluation_is_that_of_torch():
    agents = [cartpole_agent(range(3), backend=backend) for backend in ("torch", "fused")]
    for greedy in (False, True):
        torch_returns, returns = (evaluate(agent, "CartPole-v1", {}, (5, 6, 7), 12, greedy) for agent in agents)
        assert np.array_equal(returns, torch_returns)
        assert returns.shape == (3, 12)
