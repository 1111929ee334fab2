import gymnasium as gym
import numpy as np
import pytest

from rstdp_agents.environments import SerialGrid, env_seeds, is_unbounded, make_env, parse_kwargs, probe, probe_range
from rstdp_agents.errors import EnvironmentFault, UsageError
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


def test_env_kwargs_are_python_literals_or_text():
    assert parse_kwargs(("is_slippery:False", "size:8", "map_name:4x4", "desc:['SF', 'HG']")) == {
        "is_slippery": False, "size": 8, "map_name": "4x4", "desc": ["SF", "HG"],
    }  # fmt: skip
    with pytest.raises(UsageError, match=r"takes key:value pairs; received 'size=8'"):
        parse_kwargs(("size=8",))


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
        "the range of observations is that of 1 steps of chance, not 2,000, "
    ]
