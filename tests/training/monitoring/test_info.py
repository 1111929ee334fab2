"""Numbers of `info` on their way to monitor.csv and TensorBoard."""

import math

import gymnasium as gym
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import override
from rstdp_agents.environments import build_grid
from rstdp_agents.environments.info import at_ends, number, of_each
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset
from rstdp_agents.training.runs.reading import read_run
from tests.training.runs.test_resume import assert_same_run, forks, killed, train

KEYS = ("share", "performance")


class Trials(gym.Env):
    """Two trials of three steps in an episode, as neurogym's: `performance` at their ends, `share` of the steps at all times."""

    observation_space = gym.spaces.Discrete(7)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.taken = 0
        return 0, {"share": 100.0, "performance": 100.0, "new_trial": False}

    def step(self, action):
        self.taken += 1
        info = {"share": self.taken / 6, "words": "no number", "new_trial": self.taken % 3 == 0}
        if self.taken % 3 == 0:
            info["performance"] = np.array([self.taken / 3 - 1])
        return self.taken, 1.0, self.taken == 6, False, info


gym.register("Trials-v0", Trials)


def config(**changes):
    short = {"total_steps": 120, "log_every": 40, "eval_episodes": 1, "eval_every": 60, "images": 0, "progress": False}
    return override(preset("Trials-v0", "rstdp-et"), short | {"checkpoint_every": 20, "info_keywords": KEYS} | changes)


def test_numbers_are_taken_where_an_episode_or_a_trial_ends():
    infos = [
        {"share": 0.5, "performance": 1.0},
        {"share": True, "new_trial": True},
        {"share": np.float32(2), "words": "x"},
    ]
    got = at_ends(infos, np.array([[False, False, True]]), ("share", "performance", "words"))
    nan = math.nan
    assert np.array_equal(got, [[[nan, nan, nan], [1.0, nan, nan], [2.0, nan, nan]]], equal_nan=True)
    assert [number(value) for value in (3, [4.5], np.array(1.5))] == [3.0, 4.5, 1.5]
    assert all(math.isnan(number(value)) for value in (None, "3", [1, 2], {}, object()))


def test_vector_infos_of_finished_envs_are_those_of_the_episode_that_ended():
    said = {
        "share": np.array([7.0, 2.0, 0.0]), "_share": np.array([True, True, False]), "lives": np.array([3, 2, 1]),
        "_final_info": np.array([True, False, False]),
        "final_info": {"performance": np.array([1.0, 0.0, 0.0]), "_performance": np.array([True, False, False])},
    }  # fmt: skip
    rows = of_each(said, 3, (*KEYS, "lives"))
    assert rows == [{"performance": 1.0}, {"share": 2.0, "lives": 2}, {"lives": 1}]


@forks
@pytest.mark.parametrize("how", ["serial", "async"])
def test_all_ways_of_stepping_hand_on_the_same(how):
    grid = build_grid(how, "Trials-v0", {}, 1, 2, keywords=KEYS)
    grid.reset((0,))
    seen = [grid.step(np.zeros((1, 2), dtype=np.int64)).info for _ in range(7)]
    grid.close()
    rows = np.array(seen)[:, 0, 1]
    expected = np.full((7, 2), np.nan)
    expected[2], expected[5] = (0.5, 0.0), (1.0, 1.0)
    assert np.array_equal(rows, expected, equal_nan=True)


@pytest.mark.parametrize("agents", [1, 2])
def test_they_are_columns_of_monitor_csv_and_curves_in_tensorboard(agents, tmp_path):
    with Training(config(agents=agents), tmp_path) as run:
        run.run()
    _, header, *rows = (tmp_path / "monitor.csv").read_text().splitlines()
    assert header == "r,l,t,agent,share,performance"
    assert len(rows) == 20 * agents
    assert {tuple(row.split(",")[4:]) for row in rows} == {("0.75", "0.5")}  # means over both trials
    assert [len(agent.returns) for agent in read_run(tmp_path).agents] == [20] * agents
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [(e.step, e.value) for e in events.Scalars("info/performance")] == [(40, 0.5), (80, 0.5), (120, 0.5)]
    assert "info/share" in events.Tags()["scalars"]


@forks
def test_a_run_that_is_killed_goes_on_with_them(tmp_path):
    train(config(), tmp_path / "undisturbed")
    killed(config(), tmp_path / "killed", 63)  # in the middle of an episode, after its first trial
    train(config(), tmp_path / "killed")
    assert_same_run(tmp_path / "undisturbed", tmp_path / "killed")
    with pytest.raises(
        UsageError, match=r"columns of monitor.csv and must stay \('share', 'performance'\); received \(\)"
    ):
        train(config(info_keywords=()), tmp_path / "killed")


def test_what_info_does_not_have_is_said_once(tmp_path, capsys):
    with Training(config(info_keywords=("share", "speed", "words")), tmp_path) as run:
        run.run()
    said = capsys.readouterr().err
    assert said.count("warning: no number 'speed' in `info` at the end of an episode (--info-keywords)") == 1
    assert said.count("warning: ") == 2
    assert (tmp_path / "monitor.csv").read_text().endswith(",0,0.75,nan,nan\n")
