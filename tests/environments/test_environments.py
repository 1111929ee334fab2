import math

import gymnasium as gym
import numpy as np
import pytest

from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.environments import SerialGrid, env_seeds, is_unbounded, make_env, parse_kwargs, probe, probe_range
from tests import helpers


def test_arrays_have_agents_and_envs_in_front():
    grid = SerialGrid("CartPole-v1", {}, 3, 2)
    assert grid.reset((0, 1, 2)).shape == (3, 2, 4)
    t = grid.step(np.ones((3, 2), dtype=np.int64))
    assert (t.obs.shape, t.reward.shape, t.terminated.shape) == ((3, 2, 4), (3, 2), (3, 2))


def test_an_agents_envs_depend_on_its_seed_alone():
    population, alone = SerialGrid("CartPole-v1", {}, 3, 2), SerialGrid("CartPole-v1", {}, 1, 2)
    assert np.array_equal(population.reset((4, 5, 6))[1:2], alone.reset((5,)))
    assert len(set(env_seeds(5, 4) + env_seeds(5, 4, purpose=1) + env_seeds(6, 4))) == 12


def test_the_step_after_an_episode_is_not_lost():
    grid = SerialGrid("Corridor-v0", {}, 1, 1)
    grid.reset((0,))
    right = np.array([[1]])
    steps = [grid.step(right) for _ in range(8)]
    assert [int(t.obs[0, 0]) for t in steps] == [1, 2, 3, 0, 1, 2, 3, 0]
    assert [float(t.reward[0, 0]) for t in steps] == [0, 0, 0, 1] * 2
    assert all(t.final_obs is None for t in steps)


def test_truncation_hands_on_the_true_last_observation():
    grid = SerialGrid("Corridor-v0", {}, 1, 2)
    grid.reset((0,))
    actions = [np.array([[1, 0]])] * 3 + [np.array([[0, 0]])] * 7
    *_, last = [grid.step(action) for action in actions]
    assert last.truncated.tolist() == [[True, True]]
    assert last.obs.tolist() == [[0, 0]]
    assert last.final_obs.tolist() == [[0, 0]]
    grid.reset((0,))
    *_, last = [grid.step(np.array([[i % 2, 0]])) for i in range(10)]
    assert last.final_obs.tolist() == [[1, 0]]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_reward_that_is_not_finite_names_step_env_and_value(value):
    grid = SerialGrid("Corridor-v0", {"broken": ("reward", 3, value)}, 2, 1)
    grid.reset((0, 1))
    with pytest.raises(EnvironmentFault) as error:
        [grid.step(np.zeros((2, 1), dtype=np.int64)) for _ in range(3)]
    assert (
        str(error.value)
        == f"environment 'Corridor-v0': reward is not finite at env step 3 in env 0 of agent 0: received {value}"
    )


class NanObservation(helpers.Corridor):
    observation_space = gym.spaces.Box(-1, 1, (2,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, dtype=np.float32), {}

    def step(self, action):
        super().step(action)
        return np.array([0, np.nan if self.steps == 2 else 0], dtype=np.float32), 0.0, False, False, {}


gym.register("NanObservation-v0", NanObservation)


@pytest.mark.filterwarnings("ignore::UserWarning")  # Gymnasium's own checker sees it too
def test_observation_that_is_not_finite_names_step_env_and_value():
    grid = SerialGrid("NanObservation-v0", {}, 1, 1)
    grid.reset((0,))
    with pytest.raises(EnvironmentFault, match=r"observation is not finite at env step 2 in env 0 of agent 0: .*nan"):
        [grid.step(np.zeros((1, 1), dtype=np.int64)) for _ in range(3)]


def test_unknown_ids_suggest_the_nearest():
    with pytest.raises(UsageError, match=r"unknown environment 'CartPol-v1'; the nearest are .*CartPole-v1"):
        make_env("CartPol-v1", {})
    with pytest.raises(UsageError, match="unknown environment 'Xyzzy'"):
        make_env("Xyzzy", {})


def test_wrong_arguments_of_an_environment_are_said():
    with pytest.raises(UsageError) as error:
        make_env("CartPole-v1", {"suton_barto_reward": True})
    assert str(error.value) == (
        "environment 'CartPole-v1' has no argument 'suton_barto_reward' (did you mean 'sutton_barto_reward'?); "
        "it takes sutton_barto_reward, render_mode"
    )


VALUES = {
    "false": False, "False": False, "TRUE": True, "yes": True, "No": False, "on": True, "OFF": False, "null": None,
    "None": None, "NONE": None, "inf": math.inf, "-inf": -math.inf, "+Infinity": math.inf, "-Infinity": -math.inf,
    "8": 8, "-3": -3, "1e-3": 0.001, "1_000": 1000, ".5": 0.5, "0x10": 16, " 7 ": 7, "1e999": math.inf,
    "'false'": "false", '"null"': "null", "'8'": "8", "''": "", "": "",
    "4x4": "4x4", "12:30": "12:30", "C:\\maps": "C:\\maps", "module:Class": "module:Class", "010": "010", "1.2.3": "1.2.3",
    "2024-01-31": "2024-01-31", "{1: 2, [3]: 4}": "{1: 2, [3]: 4}", "trueish": "trueish", "a b": "a b", "[a, b]": "[a, b]",
    "falsetto": "falsetto", "f'{x}'": "f'{x}'", "[1, 2": "[1, 2", "1if": "1if", "(" * 999: "(" * 999, "on/off": "on/off",
    "print(1)": "print(1)", "nan_": "nan_",
    '{"a": true, "b": [1, null]}': {"a": True, "b": [1, None]}, "[1, null]": [1, None], "(1, (2, False))": (1, (2, False)),
    "['SF', 'HG']": ["SF", "HG"], "[-inf, 'inf']": [-math.inf, "inf"], "{'a': {'b': off}}": {"a": {"b": False}},
    "(-0.4,-0.3)": (-0.4, -0.3), "[]": [], "{}": {}, "(1,)": (1,), "[1,\n 2]": [1, 2],
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_env_kwargs_are_literals_of_python_or_json_or_words_or_text(text, value):
    read = parse_kwargs((f"key:{text}",))["key"]
    assert read == value
    assert type(read) is type(value)


def test_nan_is_a_number_alone_and_within_others():
    read = parse_kwargs(("a:NaN", "b:[nan, 1]"))
    assert math.isnan(read["a"])
    assert math.isnan(read["b"][0])


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (("size=8",), "`--env-kwargs` takes key:value pairs; received 'size=8'"),
        ((":8",), "`--env-kwargs` takes key:value pairs; received ':8'"),
        (("a b:8",), "`--env-kwargs` takes key:value pairs; received 'a b:8'"),
        (("size:8", "n:1", "size:off"), "`--env-kwargs` must give 'size' once; received 8 and False"),
    ],
)
def test_what_is_no_pair_and_a_key_twice_are_refused(pairs, words):
    with pytest.raises(UsageError) as error:
        parse_kwargs(pairs)
    assert str(error.value) == words


def test_false_is_false_to_the_environment():
    assert make_env("FrozenLake-v1", parse_kwargs(("is_slippery:false",))).unwrapped.spec.kwargs["is_slippery"] is False


def test_range_of_unbounded_observations_is_what_chance_reaches_and_a_quarter_more():
    space = gym.make("CartPole-v1").observation_space
    assert is_unbounded(space)
    low, high = probe_range("CartPole-v1", {}, 3)
    assert (low, high) == probe_range("CartPole-v1", {}, 3)
    assert low[0] == pytest.approx(-4.8)  # bounded dimensions keep their own
    assert high[2] == pytest.approx(0.41888, abs=1e-4)
    assert -5 < low[1] < -1
    assert 1 < high[3] < 6
    assert not is_unbounded(gym.spaces.Box(-1, 1, (3,)))
    assert not is_unbounded(gym.spaces.Discrete(3))


def test_slow_env_is_probed_for_a_bounded_time(monkeypatch, caplog):
    monkeypatch.setattr(probe, "SECONDS", 0)
    low, high = probe.probe_range("CartPole-v1", {}, 3)
    env = gym.make("CartPole-v1")
    env.action_space.seed(3)
    first, second = env.reset(seed=3)[0], env.step(env.action_space.sample())[0]
    room = 0.25 * abs(second[1] - first[1]) + 1e-3
    assert low[1] == pytest.approx(min(first[1], second[1]) - room, abs=1e-4)
    assert high[1] == pytest.approx(max(first[1], second[1]) + room, abs=1e-4)
    assert [record.getMessage()[:67] for record in caplog.records] == [
        "the range of observations is from 1 random actions, not 2,000, beca"
    ]
