"""Environments that do not keep to Gymnasium's interface: what is said of each, and what is left of the run."""

import json

import gymnasium as gym
import numpy as np
import pytest

from rstdp_agents.cli import main
from rstdp_agents.environments import build_grid, make_env
from rstdp_agents.environments.guard import CHECKED
from rstdp_agents.errors import EnvironmentFault, UsageError

STEP = "(observation, reward, terminated, truncated, info)"


class Odd(gym.Env):
    """Returns what it is told to: ``first`` from reset, ``then`` from step, from the step ``at`` on; calls what can be called."""

    observation_space = gym.spaces.Dict({"where": gym.spaces.Box(-1, 1, (2,)), "what": gym.spaces.Discrete(3)})
    action_space = gym.spaces.Discrete(2)
    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, first=None, then=None, at=1, picture=None, render_mode=None):
        self.first, self.then, self.at, self.picture, self.render_mode = first, then, at, picture, render_mode
        self.steps = 0

    def reset(self, *, seed=None, options=None):
        return self._given(self.first) if self.first is not None else (seen(), {})

    def step(self, action):
        self.steps += 1
        return self._given(self.then) if self.then is not None and self.steps >= self.at else result()

    def render(self):
        return self.picture

    def _given(self, what):
        return what() if callable(what) else what


def seen(where=(0.0, 0.0), what=0):
    return {"where": np.array(where, dtype=np.float32), "what": what}


def result(obs=None, reward=0.0, terminated=False, truncated=False, info=None):
    return obs or seen(), reward, terminated, truncated, info or {}


def lived(env, steps):
    env.reset(seed=0)
    for _ in range(steps):
        env.step(1)


def fault(**kwargs):
    env = make_env(Odd, kwargs)
    with pytest.raises(EnvironmentFault) as error:
        lived(env, 10)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (seen(), "reset() returned {'where': array([0., 0.], dtype=float32), 'what': 0}; expected (observation, info), info"),
        ((seen(), None), "expected (observation, info), info being a dict"),
        ((seen(what=3), {}), "reset() returned the observation['what'] 3; expected one of its space Dict("),
        ((seen(where=(0.0, 0.0, 0.0)), {}), "the observation['where'] of the shape (3,); expected"),
        (({"where": np.zeros(2, dtype=np.float32)}, {}), "the observation['what'] None; expected"),
        (("text", {}), "reset() returned the observation 'text'; expected"),
        (lambda: 1 / 0, "reset() raised ZeroDivisionError: division by zero (test_guard.py, line "),
    ],
)  # fmt: skip
def test_what_reset_must_not_do_is_said(first, message):
    said = fault(first=first)
    assert "test_guard:Odd': reset() " in said
    assert message in said


@pytest.mark.parametrize(
    ("then", "message"),
    [
        ((seen(), 0.0, False, {}), f"expected {STEP}, not the four of the old gym API"),
        (seen(), f"expected {STEP}"),
        (result(reward=None), "step() returned the reward None; expected one number"),
        (result(reward="1"), "step() returned the reward '1'; expected one number"),
        (result(reward=np.ones(2)), "the reward array([1., 1.]); expected one number; it takes a wrapper"),
        (result(reward=[1, 2]), "`--wrapper mo_gymnasium.wrappers:LinearReward`"),
        (result(terminated=None), "step() returned terminated None; expected True or False"),
        (result(truncated="no"), "step() returned truncated 'no'; expected True or False"),
        ((seen(), 0.0, False, False, 3), "step() returned info 3; expected a dict"),
        (result(obs=seen(what=-1)), "step() returned the observation['what'] -1; expected one of its space"),
        (lambda: {}["gone"], "step(1) raised KeyError: 'gone' (test_guard.py, line "),
    ],
)
def test_what_step_must_not_do_is_said(then, message):
    assert message in fault(then=then, at=3)


def test_bounds_are_warned_of_once_and_precision_does_not_matter():
    wide = result(obs={"where": np.array([0.0, 1.5]), "what": np.int64(1)})
    env = make_env(Odd, {"then": wide})
    message = (
        r"test_guard:Odd': step\(\) returned the observation\['where'\] with 1.5 in \[1\], beyond its bounds -1 and 1"
    )
    with pytest.warns(UserWarning, match=message) as warned:
        lived(env, 5)
    assert len(warned) == 1
    env = make_env(Odd, {"then": result(obs={"where": np.array([0.5, 1.0]), "what": np.int8(2)}, reward=np.float32(1))})
    lived(env, 5)


def test_raising_is_caught_however_late():
    assert "raised ZeroDivisionError" in fault(then=lambda: 1 / 0, at=5)
    env = make_env(Odd, {"then": lambda: 1 / 0, "at": CHECKED + 5})
    lived(env, CHECKED + 4)
    with pytest.raises(EnvironmentFault, match="division by zero"):
        env.step(0)


def test_a_step_through_a_time_limit_says_what_it_must_return():
    said = fault(then=(seen(), 0.0, False, {}), max_episode_steps=5)
    assert f"expected {STEP}" in said or f"it must return {STEP}" in said


@pytest.mark.parametrize("picture", [None, np.zeros((4, 4)), [1, 2]])
def test_rendering_to_nothing_is_said(picture):
    env = make_env(Odd, {"picture": picture, "render_mode": "rgb_array"})
    env.reset(seed=0)
    with pytest.raises(
        EnvironmentFault, match=r"render\(\) returned .*; expected a picture \(height, width, 3\) of uint8"
    ):
        env.render()
    assert make_env(Odd, {"picture": None}).render() is None


@pytest.mark.filterwarnings("ignore::UserWarning")  # Gymnasium tells of the worker, too
def test_faults_of_other_processes_are_the_same():
    grid = build_grid("async", "tests.helpers:Corridor-v0", {"broken": ("raise", 2, None)}, 1, 2)
    grid.reset((0,))
    with pytest.raises(
        EnvironmentFault, match=r"environment .tests.helpers:Corridor-v0.: step\(.*\) raised RuntimeError: broken"
    ):
        [grid.step(np.zeros((1, 2), dtype=np.int64)) for _ in range(3)]
    grid.close()


def test_what_is_no_environment_is_refused():
    for env, message in (
        (lambda: 3, r"environment '.*lambda.*' must be a gymnasium.Env; received 3"),
        (
            lambda: 1 / 0,
            r"environment '.*lambda.*' cannot be made: ZeroDivisionError: division by zero \(test_guard.py",
        ),
    ):
        with pytest.raises(UsageError, match=message):
            make_env(env, {})
    with pytest.raises(
        UsageError, match=r"has no argument 'firstly' \(did you mean 'first'\?\); it takes first, then, at, "
    ):
        make_env(Odd, {"firstly": 1})


def test_the_command_says_it_in_one_line_and_the_run_can_go_on(tmp_path, capsys):
    run = ["--run-dir", str(tmp_path / "run"), "--eval-episodes", "1", "--images", "0", "--no-progress"]
    line = ["--env", "tests.helpers:Corridor-v0", "--env-kwargs", "broken:('raise',150,None)", "--total-steps", "200"]
    assert main([*line, *run]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: environment 'tests.helpers:Corridor-v0': step(")
    assert error.count("\n") == 1
    assert len((tmp_path / "run" / "monitor.csv").read_text().splitlines()) > 10
    assert main(["--resume", str(tmp_path / "run"), "--env-kwargs", "broken:None", "--trust"]) == 0
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["agents"][0]["steps"] == 200
