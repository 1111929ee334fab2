"""What has rarely been seen is worth something, and ever less."""

import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.novelty import Novelty
from rstdp_agents.base.settings import override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.episodes import EpisodeTracker
from rstdp_agents.training.interaction import Interaction

F64, CPU = torch.float64, torch.device("cpu")


def states(*rows):
    return torch.tensor([rows], dtype=F64)


def test_a_state_is_as_new_as_its_inputs_on_average():
    novelty = Novelty((1, 4), CPU, F64)
    assert novelty(states([0.5, 0.5, 0.0, 0.0])).tolist() == [[1.0]]
    again = 2**-0.5
    assert novelty(states([0.5, 0.5, 0.0, 0.0])).item() == pytest.approx(again)
    assert novelty(states([0.5, 0.0, 0.5, 0.0])).item() == pytest.approx((3**-0.5 + 1.0) / 2)
    assert novelty.visits[0].tolist() == [3.0, 2.0, 1.0, 0.0]


def test_weak_inputs_count_by_their_share():
    novelty = Novelty((1, 2), CPU, F64)
    novelty(states([0.8, 0.2]))
    assert novelty.visits[0].tolist() == [1.0, 0.25]
    expected = (0.64 * 2**-0.5 + 0.04 * 1.25**-0.5) / 0.68
    assert novelty(states([0.8, 0.2])).item() == pytest.approx(expected)


def test_envs_of_an_agent_see_the_same_and_count_as_one():
    novelty = Novelty((1, 2), CPU, F64)
    assert novelty(states([1.0, 0.0], [1.0, 0.0])).tolist() == [[1.0, 1.0]]
    assert novelty.visits[0].tolist() == [1.0, 0.0]
    novelty(states([1.0, 0.0], [0.0, 1.0]))
    assert novelty.visits[0].tolist() == [1.5, 0.5]


def test_silence_is_not_new():
    assert Novelty((1, 3), CPU, F64)(states([0.0, 0.0, 0.0])).tolist() == [[0.0]]


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_novelty_finds_the_end_of_a_walk_that_costs(scale):
    """A cliff (limit 200): with the bonus all agents reach the end, without it some never do; whatever the scale of rewards.

    The discount is smaller and the trace longer than usual: with those of the one setting these few reach it anyway.
    """
    hard = {
        "modulation.gamma": 0.98,
        "plasticity.tau_e": 45.0,
        "decoder.temperature_lr": 0.002,
        "decoder.exploration_lr": 0.002,
    }
    reached = {}
    for weight in (0.1, 0.0):
        kwargs = {"max_episode_steps": 200}
        envs = SerialGrid("CliffWalking-v1", kwargs, 4, 1)
        config = override(AgentConfig(), {"modulation.novelty": weight, "modulation.reward_scale": scale, **hard})
        agent = Agent(config, envs.observation_space, envs.action_space, seeds=(0, 1, 2, 3))
        run, returns = Interaction(agent, envs, EpisodeTracker(4, 1, None)), [[] for _ in range(4)]
        run.begin((0, 1, 2, 3))
        for step in range(1, 15_001):
            for episode in run.step(step)[1]:
                returns[episode.agent].append(episode.episode_return)
        envs.close()
        reached[weight] = np.array([np.mean(each[-20:]) > -60 for each in returns])
    assert reached[0.1].all()
    assert not reached[0.0].all()
