"""Runs that do not learn, each for a reason of its own, and runs that do."""

import json

import gymnasium as gym
import numpy as np
import pytest

from rstdp_agents.base.settings import override
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.tools.cli import main
from rstdp_agents.training.loop import Training
from rstdp_agents.training.monitoring import causes
from rstdp_agents.training.monitoring.range_watch import RangeWatch
from rstdp_agents.training.presets import preset
from rstdp_agents.training.runs.folder import warnings_of


class Walk(gym.Env):
    """Twenty steps on a line, one up or down for each action. A step brings ``reward``, or its direction if that is "up"."""

    observation_space = gym.spaces.Box(-30.0, 30.0, (1,))
    action_space = gym.spaces.Discrete(2)

    def __init__(self, reward="up"):
        self.reward = reward

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.steps = 0, 0
        return np.array([0.0], np.float32), {}

    def step(self, action):
        self.steps += 1
        self.at += 2 * int(action) - 1
        reward = 2.0 * action - 1.0 if self.reward == "up" else self.reward
        return np.array([self.at], np.float32), reward, False, self.steps == 20, {}


gym.register("Walk-v0", Walk)
STEPS = 2_400
STILL = {"agent.plasticity.lr": 0.0}
SLOW = {"agent.plasticity.lr": 1e-6}
"""Returns stay what they are by chance."""
WHY = {
    "the learning rate is zero; raise --plasticity.lr": STILL,
    "no reward has been seen yet": {"env_kwargs": ("reward:0",)},
    "every episode has brought the same return": {"env_kwargs": ("reward:-1",)},
    "fires at its limit, 500 Hz": {
        "agent.homeostasis.rate_target": 500.0, "agent.homeostasis.tau": 100.0, "agent.homeostasis.tau_rate": 100.0, **SLOW,
    },
    "of observations leave the range of the encoder": {
        "agent.encoder.code": "place-cells", "agent.encoder.low": (-1.0,), "agent.encoder.high": (1.0,), **SLOW,
    },
    "layer output is dead": {"agent.neuron.v_th": 12.0, "agent.homeostasis.param": "none", **SLOW},
    "weights of layer output are saturated": {
        "agent.plasticity.lr": 3e3, "agent.modulation.critic_lr": 0.0, "env_kwargs": ("reward:-1",),
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def early(monkeypatch):
    monkeypatch.setattr(causes, "EARLIEST", 1_000)


def config(**changes):
    short = {"total_steps": STEPS, "log_every": 300, "images": 0, "eval_episodes": 0, "progress": False, "agents": 2}
    return override(preset("Walk-v0", "rstdp-et"), short | changes)


def trained(settings, folder, capsys):
    """Warnings of a run, and its summary."""
    with Training(settings, folder) as run:
        run.run()
        summary = run.finish()
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")], summary


@pytest.mark.parametrize(("words", "changes"), WHY.items(), ids=WHY)
def test_a_run_that_does_not_learn_says_why_once_and_in_its_summary(words, changes, tmp_path, capsys):
    warnings, summary = trained(config(**changes), tmp_path, capsys)
    (warning,) = (line for line in warnings if words in line)
    assert warning.startswith("warning: 2 agents (0, 1): ")
    assert "--" in warning  # which option to turn
    assert any(words in line for line in warnings_of(summary))
    assert words in (tmp_path / "README.md").read_text().replace("&#45;", "-")
    assert [agent["warnings"] for agent in json.loads((tmp_path / "summary.json").read_text())["agents"]] == [
        agent["warnings"] for agent in summary["agents"]
    ]


def test_a_run_that_learns_says_nothing_even_where_a_cause_would_be_at_hand(tmp_path, capsys):
    narrow = {"agent.encoder.low": (-1.0,), "agent.encoder.high": (1.0,)}  # going up is right everywhere
    warnings, summary = trained(config(**narrow), tmp_path, capsys)
    assert all(agent["final_mean"] > 10.0 for agent in summary["agents"])
    assert warnings == warnings_of(summary) == []
    assert "wrong" not in (tmp_path / "README.md").read_text()


def test_nothing_is_said_before_agents_can_have_learnt(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(causes, "EARLIEST", STEPS + 1)
    assert trained(config(**STILL), tmp_path, capsys)[0] == []
    assert not causes.is_due(5_000, 50_000)
    assert causes.is_due(10_000, 50_000)
    monkeypatch.undo()
    assert not causes.is_due(4_999, 1_000)


def test_what_was_said_is_not_said_again_on_resume_and_stays_in_the_summary(tmp_path, capsys):
    settings = config(checkpoint_every=300, **STILL)
    with Training(settings, tmp_path) as run:
        run.until = STEPS - 300
        run.run()
    assert "the learning rate is zero" in capsys.readouterr().err
    checkpoint = sorted((tmp_path / "checkpoints").iterdir())[-1]
    with Training(run.config, tmp_path, checkpoint) as again:
        again.run()
        summary = again.finish()
    assert "warning" not in capsys.readouterr().err
    assert warnings_of(summary) == ["seeds 0, 1: nothing is learnt: the learning rate is zero; raise --plasticity.lr"]


def test_the_report_lists_what_was_wrong(tmp_path, capsys):
    trained(config(**STILL), tmp_path / "run", capsys)
    assert main(["report", str(tmp_path / "run"), "--out", str(tmp_path / "report")]) == 0
    page = (tmp_path / "report" / "README.md").read_text()
    assert "* run, seeds 0, 1: nothing is learnt: the learning rate is zero" in page


def test_observations_are_counted_outside_beyond_the_ends_of_the_encoder_or_of_the_space():
    space = gym.spaces.Dict(
        a=gym.spaces.Box(-1.0, 1.0, (2,)), b=gym.spaces.Discrete(3), c=gym.spaces.Box(0.0, np.inf, (1,))
    )
    obs = np.array([[[0.0, 1.0, 2.0, 5.0], [0.0, 1.1, 2.0, 5.0]], [[-2.0, 0.0, 0.0, -0.5], [0.0, 0.0, 0.0, 0.0]]])
    watch = RangeWatch(Rows(space), EncoderConfig(code="place-cells"), [0, 0], 0)
    watch.add(obs)
    assert watch.share().tolist() == [0.5, 0.5]
    watch.clear()
    assert watch.share().tolist() == [0.0, 0.0]
    given = RangeWatch(
        Rows(space), EncoderConfig("place-cells", low=(-3.0, -3.0, -1.0), high=(3.0, 3.0, 4.0)), [0, 0], 0
    )
    given.add(obs)
    assert given.share().tolist() == [1.0, 0.0]


def test_a_code_with_cells_for_everything_is_never_left():
    watch = RangeWatch(Rows(gym.spaces.Box(-1.0, 1.0, (2,))), EncoderConfig(low=(0.0, 0.0), high=(1.0, 1.0)), [0], 0)
    watch.add(np.full((1, 1, 2), 1e9))
    assert watch.share().tolist() == [0.0]


@pytest.mark.parametrize("space", [gym.spaces.Discrete(5), gym.spaces.Box(0, 255, (8, 8, 3), np.uint8)], ids=str)
def test_codes_without_a_range_have_nothing_outside(space):
    space.seed(0)
    watch = RangeWatch(Rows(space), EncoderConfig("place-cells"), [0], 0)
    watch.add(np.array([[space.sample(), space.sample()]]))
    assert watch.share().tolist() == [0.0]
