"""Wrappers that learn are part of the agent: saved, resumed, and frozen in evaluation, best/, eval, video and export."""

import json

import gymnasium as gym
import numpy as np
import pytest

from rstdp_agents.environments import SerialGrid, build_grid, make_env
from rstdp_agents.environments.learnt import FreshWrappers, teach
from rstdp_agents.environments.source import Wrapped
from rstdp_agents.tools.cli import main
from rstdp_agents.training.evaluation import spread
from rstdp_agents.training.run import load_run
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint
from rstdp_agents.training.runs.trust import Trust

SHORT = ["--images", "0", "--no-progress", "--backend", "torch", "--eval-episodes", "6"]
NORMALISE = "gymnasium.wrappers:NormalizeObservation"


class Sides(gym.Env):
    """Every episode stays at 100 or at 110, so that one alone says nothing of the mean; the side is the right action."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.t = float(self.np_random.choice([100.0, 110.0])), 0
        return np.array([self.x]), {}

    def step(self, action):
        self.t += 1
        return np.array([self.x]), float((self.x > 105) == bool(action)), self.t >= 10, False, {}


class Centred(gym.ObservationWrapper):
    """A user's own: the running mean is taken away. It does not say what it has learnt."""

    def __init__(self, env):
        super().__init__(env)
        self.observation_space = gym.spaces.Box(-20, 20, (1,), np.float64)
        self.mean, self.n = 0.0, 0

    def observation(self, obs):
        self.n += 1
        self.mean += (float(obs[0]) - self.mean) / self.n
        return obs - self.mean


class Saying(Centred):
    """It does."""

    def state_dict(self):
        return {"mean": np.float64(self.mean), "n": self.n}

    def load_state_dict(self, state):
        self.mean, self.n = float(state["mean"]), state["n"]


class Opaque(gym.Wrapper):
    """Changes what nobody can save."""

    def __init__(self, env):
        super().__init__(env)
        self.levels = iter(range(10**9))

    def step(self, action):
        next(self.levels)
        return self.env.step(action)


def trained(folder, wrapper, *more):
    line = [
        "--env",
        "tests.environments.test_learnt:Sides",
        "--wrapper",
        wrapper,
        "--run-dir",
        str(folder),
        "--total-steps",
        "300",
    ]
    assert main([*line, *SHORT, *more]) == 0
    return json.loads((folder / "summary.json").read_text())["agents"]


@pytest.mark.parametrize(
    "wrapper", [NORMALISE, pytest.param("tests.environments.test_learnt:Saying", marks=pytest.mark.slow)]
)
def test_what_was_learnt_in_training_is_known_in_evaluation(tmp_path, wrapper, capsys):
    (agent,) = trained(tmp_path, wrapper, "--total-steps", "1500", "--eval-every", "700")
    assert agent["eval_greedy"]["mean"] > 9.0  # 5 by chance, and for statistics of an episode alone
    capsys.readouterr()
    assert main(["eval", str(tmp_path), "--episodes", "6", "--policy", "greedy", "--trust"]) == 0
    assert (
        f"greedy, seed 0: {agent['eval_greedy']['mean']:.1f} +- {agent['eval_greedy']['std']:.1f}"
        in capsys.readouterr().out
    )
    best = load_checkpoint(tmp_path / "best" / "best.safetensors")[1]["envs"]["learnt"]
    assert len(best) == len(best[0]) == 1


def test_a_wrapper_that_learns_does_not_learn_in_evaluation():
    source = Wrapped(Sides, ("tests.environments.test_learnt:Saying",))
    frozen = [[{"wrapper": "Saying", "state_dict": {"dict": [["mean", 104.0], ["n", 7]]}}]]
    grid = SerialGrid(source, {}, 1, 1, frozen=frozen)
    seen = [float(grid.reset((0,))[0, 0, 0])] + [
        float(grid.step(np.zeros((1, 1), int)).obs[0, 0, 0]) for _ in range(25)
    ]
    n = 8  # an observation moves the mean by an eighth of what is left, and no further from step to step
    expected = {round((x - 104.0) * (1 - 1 / n), 9) for x in (100.0, 110.0)}
    assert {round(value, 9) for value in seen} == expected
    assert (grid.envs[0].env.env.env.n) == 7


@pytest.mark.slow
def test_a_resumed_run_is_that_of_one_that_was_not_stopped(tmp_path):
    for wrapper, name in (
        (NORMALISE, "a"),
        ("tests.environments.test_learnt:Centred", "b"),
        ("gymnasium.wrappers:NormalizeReward", "c"),
    ):
        (whole,) = trained(tmp_path / name, wrapper, "--checkpoint-every", "100")
        part = tmp_path / f"{name}2"
        trained(part, wrapper, "--checkpoint-every", "100", "--total-steps", "135")
        assert main(["--resume", str(part), "--total-steps", "300", "--trust"]) == 0
        assert json.loads((part / "summary.json").read_text())["agents"] == [whole]
        one, other = (load_checkpoint(latest_checkpoint(folder))[0] for folder in (tmp_path / name, part))
        assert one["output.weight"].numpy().tobytes() == other["output.weight"].numpy().tobytes()


def test_statistics_outlive_episodes_that_cannot_be_repeated(tmp_path, caplog):
    trained(tmp_path / "run", NORMALISE)
    kept = load_run(tmp_path / "run", trust=Trust(True)).learnt()
    line = [
        "--resume",
        str(tmp_path / "run"),
        "--run-dir",
        str(tmp_path / "other"),
        "--trust",
        "--max-episode-steps",
        "7",
    ]
    assert main([*line, "--total-steps", "310"]) == 0
    assert "those in progress cannot be resumed: max_episode_steps changed" in caplog.text
    now = load_run(tmp_path / "other", trust=Trust(True)).learnt()
    count = ".obs_rms.count"
    assert now[0][0]["attributes"][count] > kept[0][0]["attributes"][count] > 300
    assert now[0][0]["attributes"][count] < kept[0][0]["attributes"][count] + 20


def test_each_agent_has_the_statistics_of_its_own_envs():
    learnt = [[{"wrapper": str(i)}] for i in range(6)]  # of three agents with two envs each
    assert [one[0]["wrapper"] for one in spread(learnt, 3, 3)] == ["0", "1", "0", "2", "3", "2", "4", "5", "4"]
    assert spread([], 3, 3) == []


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_processes_tell_what_their_wrappers_have_learnt():
    source = Wrapped(Sides, (NORMALISE,))
    grids = [build_grid(how, source, {}, 1, 2) for how in ("serial", "async")]
    for grid in grids:
        grid.reset((3,))
        [grid.step(np.zeros((1, 2), dtype=np.int64)) for _ in range(5)]
    assert grids[0].learnt() == grids[1].learnt()
    fresh = build_grid("async", source, {}, 1, 2)
    fresh.teach(grids[0].learnt())
    assert fresh.learnt() == grids[0].learnt()
    for grid in (*grids, fresh):
        grid.close()


def test_what_cannot_be_saved_is_named_once(caplog):
    source = Wrapped(Sides, ("tests.environments.test_learnt:Opaque",))
    grid = SerialGrid(source, {}, 1, 2)
    grid.reset((0,))
    grid.step(np.zeros((1, 2), int))
    [grid.snapshot() for _ in range(3)]
    said = "wrapper Opaque changes levels, which cannot be saved: it starts from scratch in evaluation and on resume; give it"
    assert caplog.text.count(said) == 1


def test_gymnasiums_own_bookkeeping_is_nothing_learnt():
    env = make_env(Wrapped("CartPole-v1", ("gymnasium.wrappers:RecordEpisodeStatistics",)), {})
    born = FreshWrappers(env)
    env.reset(seed=0)
    env.step(0)
    assert born.learnt() == []


def test_other_wrappers_than_before_start_anew(caplog):
    env = make_env(Wrapped(Sides, ("tests.environments.test_learnt:Saying",)), {})
    teach(env, [{"wrapper": "NormalizeObservation", "attributes": {}}])
    assert "the wrappers differ from those that learnt before: they start from scratch" in caplog.text


@pytest.mark.slow
def test_an_exported_agent_says_what_its_wrappers_know(tmp_path):
    pytest.importorskip("onnxscript")
    trained(tmp_path / "run", NORMALISE, "--total-steps", "200")
    assert main(["export", str(tmp_path / "run"), "--out", str(tmp_path / "a.onnx"), "--trust", "--greedy"]) == 0
    import onnx

    about = {prop.key: prop.value for prop in onnx.load(tmp_path / "a.onnx").metadata_props}
    (wrapper,) = json.loads(about["rstdp_agents"])["wrappers"]
    assert wrapper["wrapper"] == "NormalizeObservation"
    assert 100 < wrapper["state"][".obs_rms.mean"][0] < 110
