"""What a run says of the code, the observations and the rewards that it finds."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.tools.cli import main
from rstdp_agents.training.monitoring import introduction
from rstdp_agents.training.monitoring.introduction import (
    STEPS,
    Introduction,
    active_inputs,
    code_name,
    in_words,
    rewards_in_words,
)


def test_two_lines_after_the_first_env_steps(capsys, tmp_path):
    line = ["--total-steps", str(STEPS + 10), "--eval-episodes", "0", "--images", "0", "--no-progress"]
    assert main([*line, "--run-dir", str(tmp_path / "run")]) == 0
    start, code, found, *_ = capsys.readouterr().out.splitlines()
    assert start.startswith("rstdp-et on CartPole-v1")
    assert code.startswith("code: ")
    assert code.endswith("%)")
    assert found.startswith("in the first 200 env steps: observations of 4 numbers, between -")
    assert found.endswith("; every reward was 1")
    assert main(["--resume", str(tmp_path / "run"), "--total-steps", str(2 * STEPS + 50)]) == 0
    assert "code: " not in capsys.readouterr().out  # said already


def test_it_counts_the_numbers_rewards_and_inputs_of_all_agents_and_envs():
    space = gym.spaces.Box(-1.0, 1.0, (2,))
    agent = Agent(AgentConfig(), space, gym.spaces.Discrete(2), seeds=(0, 1), envs=2, backend="torch")
    said, no = [], np.zeros((2, 2), dtype=bool)
    look, random = Introduction(agent, said.append), np.random.default_rng(0)
    agent.begin(np.zeros((2, 2, 2)))
    for step in range(STEPS):
        obs = random.uniform(-0.5, 0.5, (2, 2, 2))
        obs[..., 1] = 0.25
        assert not said
        t = Transition(obs, np.full((2, 2), 0.5 * (step == 7)), no, no, None, False)
        assert look.see(t) == (step == STEPS - 1)
    assert said[0].startswith("code: hashed tiles, 65,540 inputs, 32 of them active at a time (0.0%)")
    assert said[1].startswith("in the first 200 env steps: observations of 2 numbers, 1 of which varies, between -0.")
    assert said[1].endswith("; rewards between 0 and 0.5, 0.5% of them not 0")


def test_a_slow_environment_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(introduction, "SECONDS", 0.0)
    agent = Agent(AgentConfig(), gym.spaces.Discrete(3), gym.spaces.Discrete(2), seeds=(0,), backend="torch")
    said, no = [], np.zeros((1, 1), dtype=bool)
    agent.begin(np.zeros((1, 1), int))
    t = Transition(np.ones((1, 1), int), np.zeros((1, 1)), no, no, None, False)
    assert Introduction(agent, said.append).see(t)
    assert said == [
        "code: one hot, 3 inputs, 1 of them active at a time (33.3%)",
        "in the first env step: observations are one of 3 values; no reward yet (all were 0)",
    ]


def test_active_inputs_reach_a_tenth_of_the_most_active_one():
    rates = torch.tensor([[[0.5, 0.051, 0.049, 0.0]], [[0.0, 0.0, 0.0, 0.0]]])
    assert active_inputs(rates) == 1.0  # two of the first agent, none of the second


@pytest.mark.parametrize(
    ("rewards", "words"),
    [
        ([0.0, 0.0], "no reward yet (all were 0)"),
        ([-1.0, -1.0], "every reward was -1"),
        ([-16.25, -0.1], "rewards between -16.2 and -0.1"),
        ([0.0, 0.0, 0.0, 1000.0], "rewards between 0 and 1,000, 25.0% of them not 0"),
    ],
)
def test_rewards_in_words(rewards, words):
    assert rewards_in_words(np.array(rewards)) == words


def test_observations_in_words():
    box = Rows(gym.spaces.Box(-9.0, 9.0, (6,)))
    low, high = np.zeros(6), np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    assert in_words(box, low, low) == "observations of 6 numbers, none of which has varied"
    assert in_words(box, low, high) == "observations of 6 numbers, 5 of which vary, between 0 and 5"
    assert in_words(Rows(gym.spaces.Discrete(12)), np.zeros(1), np.ones(1)) == "observations are one of 12 values"
    masked = gym.spaces.Dict(seen=gym.spaces.Box(0.0, 1.0, (1,)), action_mask=gym.spaces.MultiBinary(3))
    ends = in_words(Rows(masked), np.zeros(4), np.array([0.5, 1.0, 1.0, 1.0]))
    assert ends == "observations of 1 number, between 0 and 0.5"


def test_a_code_has_the_name_of_its_class():
    class MyRBFCode:
        size = 3

    assert code_name(MyRBFCode()) == "my rbf code"
