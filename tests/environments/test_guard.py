"""Environments that do not keep to Gymnasium's interface: what is said of each, and what is left of the run."""

import json
import sys
import threading

import gymnasium as gym
import numpy as np
import pytest
import torch
from numba import njit

from rstdp_agents.agent.fused.encoders import ONE_HOT, TILES, Code, encode
from rstdp_agents.agent.fused.hashed_tiles import no_tiles
from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.base.signals import stop_requests
from rstdp_agents.environments import build_grid, make_env
from rstdp_agents.environments.guard import CHECKED
from rstdp_agents.tools.cli import main
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint

HERE = "tests.environments.test_guard"
forks = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@njit
def listed(obs, code, index, value):
    return encode(obs, code, 1, 1, index, value)


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
    return seen() if obs is None else obs, reward, terminated, truncated, info or {}


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
        ((seen(what=3), {}), "reset() returned the observation['what'] 3; expected one in its space Dict("),
        ((seen(where=(0.0, 0.0, 0.0)), {}), "the observation['where'] of shape (3,); expected"),
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
        (result(reward=np.ones(2)), "the reward array([1., 1.]); expected one number; it needs a wrapper"),
        (result(reward=[1, 2]), "`--wrapper mo_gymnasium.wrappers:LinearReward`"),
        (result(terminated=None), "step() returned terminated None; expected True or False"),
        (result(truncated="no"), "step() returned truncated 'no'; expected True or False"),
        ((seen(), 0.0, False, False, 3), "step() returned info 3; expected a dict"),
        (result(obs=seen(what=-1)), "step() returned the observation['what'] -1; expected one in its space"),
        (lambda: {}["gone"], "step(1) raised KeyError: 'gone' (test_guard.py, line "),
    ],
)
def test_what_step_must_not_do_is_said(then, message):
    assert message in fault(then=then, at=3)


def test_bounds_are_warned_of_once_and_precision_does_not_matter():
    wide = result(obs={"where": np.array([0.0, 1.5]), "what": np.int64(1)})
    env = make_env(Odd, {"then": wide})
    message = (
        r"test_guard:Odd': step\(\) returned the observation\['where'\] with 1.5 at \[1\], beyond its bounds -1 and 1"
    )
    with pytest.warns(UserWarning, match=message) as warned:
        lived(env, 5)
    assert len(warned) == 1
    env = make_env(Odd, {"then": result(obs={"where": np.array([0.5, 1.0]), "what": np.int8(2)}, reward=np.float32(1))})
    lived(env, 5)


LATE = CHECKED + 10


@pytest.mark.parametrize("at", [3, LATE])
@pytest.mark.parametrize(
    ("then", "message"),
    [
        ((seen(), 0.0, False, {}), "not the four of the old gym API"),
        (None, "step() returned None; expected (observation, reward"),
        (result(reward="1"), "the reward '1'; expected one number"),
        (result(reward=np.ones(2)), "the reward array([1., 1.]); expected one number; it needs a wrapper"),
        (result(reward=np.array("x")), "expected one number"),
        (result(terminated="yes"), "terminated 'yes'; expected True or False"),
        (result(truncated=np.array([True, False])), "truncated array([ True, False]); expected True or False"),
        ((seen(), 0.0, False, False, None), "info None; expected a dict"),
        (result(obs=np.zeros(3)), "the observation array([0., 0., 0.]); expected one in its space"),
        (lambda: sys.exit(0), "step(1) raised SystemExit: 0 (test_guard.py, line "),
        (lambda: exec("raise KeyboardInterrupt"), "step(1) raised KeyboardInterrupt"),
    ],
)  # fmt: skip
def test_the_contract_holds_in_every_step(then, message, at):
    returns = then if callable(then) else lambda: then
    env = make_env(Odd, {"then": returns, "at": at})
    with stop_requests(), pytest.raises(EnvironmentFault) as error:  # with it, Ctrl-C raises nothing
        lived(env, LATE)
    assert message in str(error.value)
    assert env.unwrapped.steps == at


def test_ctrl_c_is_no_fault_of_the_environment():
    env = make_env(Odd, {"then": lambda: exec("raise KeyboardInterrupt"), "at": 2})
    with pytest.raises(KeyboardInterrupt):
        lived(env, 3)


@pytest.mark.parametrize(
    ("reward", "flag"),
    [
        (np.array([2.0]), np.array(True)),
        (np.float32(2), np.bool_(True)),
        (torch.tensor(2.0), torch.tensor(True)),
        (2, True),
    ],
)
def test_what_says_the_same_in_another_way_is_taken(reward, flag):
    env = make_env(Odd, {"then": result(reward=reward, terminated=flag)})
    env.reset(seed=0)
    _, got, ended, cut, _ = env.step(0)
    assert (float(got), ended, cut) == (2.0, True, False)


WRONG = {
    "discrete": (gym.spaces.Discrete(5), 1, [7, -1, 10**8, 2.5]),
    "offset": (gym.spaces.Discrete(3, start=10), 11, [9, 13, 0]),
    "multi": (gym.spaces.MultiDiscrete([3, 4]), np.array([1, 2]), [np.array([3, 0]), np.array([0, -1])]),
    "binary": (gym.spaces.MultiBinary(2), np.array([0, 1], np.int8), [np.array([2, 0], np.int8)]),
    "dict": (gym.spaces.Dict(a=gym.spaces.Discrete(3)), {"a": 2}, [{"a": 3}, {"a": -1}, {"b": 0}, {"a": 0.5}]),
    "tuple": (gym.spaces.Tuple([gym.spaces.Discrete(3)]), (2,), [(3,), ()]),
    "box": (gym.spaces.Box(0, 1, (2, 3)), np.zeros((2, 3), np.float32),
            [np.zeros((3, 2), np.float32), np.zeros(6, np.float32), np.zeros((2, 4), np.float32), None, "x"]),
    "box in dict": (gym.spaces.Dict(a=gym.spaces.Box(0, 1, (3,))), {"a": np.zeros(3, np.float32)},
                    [{"a": np.zeros(1, np.float32)}, {"a": np.zeros(4, np.float32)}]),
}  # fmt: skip


class Late(gym.Env):
    """All is well, until it is not."""

    action_space = gym.spaces.Discrete(2)

    def __init__(self, kind, wrong):
        self.observation_space, self.right, cases = WRONG[kind]
        self.wrong, self.t = cases[wrong], 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.right, {}

    def step(self, action):
        self.t += 1
        return self.wrong if self.t == LATE else self.right, 1.0, self.t % 7 == 0, False, {}


@pytest.mark.parametrize(
    ("kind", "wrong"), [(kind, i) for kind, (*_, cases) in WRONG.items() for i in range(len(cases))]
)
def test_a_late_observation_outside_of_its_space_ends_the_run_after_a_checkpoint(kind, wrong, tmp_path, capsys):
    line = [
        "--env",
        f"{HERE}:Late",
        "--encoder.code",
        "place-cells",
        "--total-steps",
        "60",
        "--env-kwargs",
        f"kind:{kind}",
        f"wrong:{wrong}",
    ]
    assert main([*line, "--run-dir", str(tmp_path), "--eval-episodes", "0", "--images", "0", "--no-progress"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: environment 'tests.environments.test_guard:Late'")
    assert said.count("\n") == 1
    assert load_checkpoint(latest_checkpoint(tmp_path))[1]["step"] == LATE - 1


@pytest.mark.parametrize("value", [7.0, -1.0, 1e30, np.nan, -np.inf])
def test_compiled_code_writes_nothing_outside_of_its_arrays(value):
    for code in (
        Code(ONE_HOT, np.zeros(0), np.array([0, 4]), np.zeros(0), no_tiles()),
        Code(TILES, np.zeros(1), np.array([3]), np.ones(1), no_tiles(), tilings=1),
    ):
        index, rates = np.full(41, 7, np.int32), np.full(41, 7.0, np.float32)
        many = listed(np.array([value]), code, index[20:21], rates[20:21])
        for array in (index, rates):
            assert (array[:20] == 7).all()
            assert (array[21:] == 7).all()
        assert many == 0 or (many == 1 and 0 <= index[20] < 4)  # of the neurons there are


def test_whole_numbers_that_are_none_are_taken_as_they_come(caplog):
    class Fractions(Late):
        def __init__(self, kind):
            spaces = gym.spaces.Box(0, 1, (2,), np.int32), gym.spaces.Dict(a=gym.spaces.Box(0, 1, (2,), np.uint8))
            self.observation_space = spaces[kind]
            values = np.array([0.25, 0.5], np.float32)
            self.right = self.wrong = (values, {"a": values})[kind]
            self.t = 0

    for kind in (0, 1):
        for how in ("serial", "async"):
            grid = build_grid(how, Fractions, {"kind": kind}, 1, 1)
            assert grid.reset((0,)).tolist() == [[[0.25, 0.5]]]
            assert grid.step(np.zeros((1, 1), int)).obs.tolist() == [[[0.25, 0.5]]]
            grid.close()
    assert "declares integers and returns other numbers (float32 for int32): they are used as they are" in caplog.text


def test_close_may_raise(caplog):
    class Raises(Odd):
        def close(self):
            raise RuntimeError("gone already")

    grid = build_grid("serial", Raises, {}, 1, 3)
    grid.close()
    grid.close()
    assert caplog.text.count("close() raised RuntimeError: gone already (test_guard.py, line ") == 1


def test_masks_that_come_with_step_alone_are_obeyed():
    class Masked(Late):
        def __init__(self):
            self.observation_space, self.action_space = gym.spaces.Discrete(1), gym.spaces.Discrete(4)
            self.right, self.wrong, self.t = 0, 0, 0

        def step(self, action):
            return *super().step(action)[:4], {"action_mask": np.array([0, 0, 1, 0], np.int8)}

    grid = build_grid("serial", Masked, {}, 1, 1)
    assert grid.rows.allowed(grid.reset((0,))).tolist() == [[[True] * 4]]
    assert grid.rows.allowed(grid.step(np.zeros((1, 1), int)).obs).tolist() == [[[False, False, True, False]]]
    grid.close()


@forks
def test_an_environment_that_hangs_counts_as_one_that_fails(tmp_path, capsys):
    line = f"--env {HERE}:Hangs --vectorization async --env-timeout 1 --total-steps 60".split()
    assert main([*line, "--run-dir", str(tmp_path), "--eval-episodes", "0", "--images", "0", "--no-progress"]) == 1
    assert capsys.readouterr().err == (
        f"error: environment '{HERE}:Hangs': no answer from env 0 within 1 s, the limit set by `env_timeout`\n"
    )
    assert load_checkpoint(latest_checkpoint(tmp_path))[1]["step"] == LATE - 1
    with pytest.raises(ValueError, match="`env_timeout` needs `vectorization` async"):
        RunConfig(env_timeout=1.0)


class Hangs(Late):
    def __init__(self):
        self.observation_space, self.right, self.wrong, self.t = gym.spaces.Discrete(2), 0, 0, 0

    def step(self, action):
        if self.t == LATE - 1:
            threading.Event().wait()
        return super().step(action)


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


def test_fractions_that_come_late_are_kept_or_refused(caplog):
    class Turns(Late):
        def __init__(self):
            self.observation_space, self.t = gym.spaces.Box(0, 5, (1,), np.int32), 0
            self.right, self.wrong = np.array([2], np.int32), np.array([2.5])

    grid = build_grid("serial", Turns, {}, 1, 1)
    grid.reset((0,))
    seen = [grid.step(np.zeros((1, 1), int)).obs.item() for _ in range(LATE + 1)]
    assert seen == [2] * (LATE - 1) + [2.5, 2]
    assert "step() returned float64 numbers, not int32: they are used as they are" in caplog.text
    grid.close()
