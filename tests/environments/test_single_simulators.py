"""Environments of which one may be open at a time, that cannot be copied, or whose close() takes others with it."""

import json
import threading

import gymnasium as gym
import numpy as np
import pytest

import rstdp_agents as ra
from rstdp_agents.tools.cli import main
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint

SHORT = ["--images", "0", "--no-progress", "--backend", "torch", "--eval-episodes", "3", "--total-steps", "120"]
open_now: set[int] = set()
library = {"shut down": 0}


class Plain(gym.Env):
    """Ten steps an episode; the reward is a random number."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return np.zeros(2), {}

    def step(self, action):
        self.t += 1
        return np.array([self.t, action], float), float(self.np_random.random()), self.t == 10, False, {}


class One(Plain):
    """A simulator that can be had once."""

    def __init__(self):
        if open_now:
            raise OSError("address already in use")
        open_now.add(id(self))

    def close(self):
        open_now.discard(id(self))


class Late(One):
    """So is this one, and that is found out by reset()."""

    def __init__(self):
        pass

    def reset(self, *, seed=None, options=None):
        if open_now - {id(self)}:
            raise OSError("address already in use")
        open_now.add(id(self))
        return super().reset(seed=seed, options=options)


class Shared(Plain):
    """close() shuts down a library that all envs of the process use."""

    def __init__(self):
        self.since = library["shut down"]

    def step(self, action):
        if library["shut down"] != self.since:
            raise RuntimeError("surface is not initialized")
        return super().step(action)

    def close(self):
        library["shut down"] += 1


class Locked(Plain):
    """Cannot be copied."""

    def __init__(self):
        self.lock = threading.Lock()


def trained(folder, env, *more):
    assert (
        main(["--env", f"tests.environments.test_single_simulators:{env}", "--run-dir", str(folder), *SHORT, *more])
        == 0
    )
    assert not open_now
    (agent,) = json.loads((folder / "summary.json").read_text())["agents"]
    tensors, data = load_checkpoint(latest_checkpoint(folder))
    rows = [line.split(",")[:2] for line in (folder / "monitor.csv").read_text().splitlines()[2:]]
    return agent, tensors["output.weight"].numpy().tobytes(), rows, data["records"]


@pytest.mark.slow
@pytest.mark.parametrize("env", ["One", "Late", "Shared"])
@pytest.mark.parametrize("every", ["0", "35"])
def test_a_run_is_that_of_an_environment_without_the_habit(tmp_path, env, every):
    habit = trained(tmp_path / env, env, "--eval-every", every)
    plain = trained(tmp_path / "plain", "Plain", "--eval-every", every)
    assert habit[1:] == plain[1:]
    assert habit[0]["eval_greedy"] is not None
    if env == "Shared":  # which can be had several times: the same episodes were played
        assert habit[0] == plain[0]


@pytest.mark.parametrize("how", ["eval", "--resume"])
def test_what_is_done_with_the_run_later_opens_one_at_a_time(tmp_path, how):
    trained(tmp_path, "One")
    more = ["--total-steps", "150"] if how == "--resume" else ["--episodes", "2"]
    assert main([how, str(tmp_path), "--trust", *more]) == 0
    assert not open_now


def test_two_agents_cannot_share_one(tmp_path, capsys):
    line = ["--env", "tests.environments.test_single_simulators:One", "--agents", "2", "--run-dir", str(tmp_path)]
    assert main([*line, *SHORT]) == 2
    assert "cannot be made: " in capsys.readouterr().err
    assert not open_now


@pytest.mark.parametrize("every", [0, 35])
def test_one_environment_is_lent_from_training_to_evaluation_and_back(tmp_path, every):
    settings = {"total_steps": 120, "eval_episodes": 3, "eval_every": every, "progress": False, "images": 0}
    env = Locked()
    run = ra.train(env, tmp_path / "locked", **settings)
    other = ra.train(Plain, tmp_path / "plain", **settings)
    assert run.agent.layer.weight.numpy().tobytes() == other.agent.layer.weight.numpy().tobytes()
    assert run.summary["agents"][0]["final_mean"] == other.summary["agents"][0]["final_mean"]
    assert run.summary["agents"][0]["eval_greedy"]["episodes"] == 3
    assert env.lock.acquire(blocking=False)
