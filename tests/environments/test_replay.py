import json

import gymnasium as gym
import numpy as np
import pytest

from rstdp_agents.base.json_values import from_plain, to_plain
from rstdp_agents.environments import build_grid
from rstdp_agents.environments.envpool import Pool
from rstdp_agents.environments.replay import NOTE_EVERY, Replayable
from tests import helpers  # noqa: F401 (registers Corridor-v0)
from tests.environments.test_state import Full, through_a_file

forks = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "obs") for name in one._fields
    )


@forks
@pytest.mark.parametrize(
    ("env", "kwargs", "how", "envs"),
    [
        ("CartPole-v1", {}, "serial", 1),
        ("CartPole-v1", {"max_episode_steps": 30}, "serial", 3),
        ("CartPole-v1", {"max_episode_steps": 30}, "async", 2),
        ("CartPole-v1", {"max_episode_steps": 30}, "vector", 3),
        ("CartPole-v1", {"max_episode_steps": 30}, "auto", 16),
        ("FrozenLake-v1", {}, "serial", 2),
        ("Pendulum-v1", {}, "serial", 2),
        ("Taxi-v4", {}, "serial", 1),
        ("Acrobot-v1", {}, "serial", 1),
        ("rstdp/DelayedCue-v0", {}, "serial", 2),
        ("rstdp/Reach-v0", {}, "vector", 2),
        ("rstdp/Pattern-v0", {}, "auto", 8),
        ("Corridor-v0", {"broken": ("reward", 170, 7.0)}, "serial", 1),
    ],
)
def test_envs_go_on_in_the_middle_of_their_episodes(env, kwargs, how, envs):
    first, second = (build_grid(how, env, kwargs, 2, envs) for _ in range(2))
    space = first.action_space
    space.seed(0)
    actions = [np.array([[space.sample() for _ in range(envs)] for _ in range(2)]) for _ in range(260)]
    first.reset((5, 6))
    [first.step(action) for action in actions[:147]]
    snapshot = through_a_file(first.snapshot())
    assert second.resume(snapshot) == ""
    transitions = [(first.step(action), second.step(action)) for action in actions[147:]]
    assert all(same(*pair) for pair in transitions)
    assert any(one.any_done for one, _ in transitions) or env == "Acrobot-v1"
    first.close()
    second.close()


class Moody(gym.Env):
    """Random numbers that Gymnasium does not know of; or a wish to raise."""

    observation_space = gym.spaces.Box(0.0, 1.0, (1,))
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, dtype=np.float32), {}

    def step(self, action):
        return np.random.default_rng().random(1, dtype=np.float32), 0.0, False, False, {}


def test_an_episode_that_does_not_repeat_is_found_out():
    env = Replayable(Moody())
    env.reset(seed=1)
    env.step(0)
    said = Replayable(Moody()).repeat([env.snapshot()])
    assert said == "the same actions from the same state led to different observations"
    env = Replayable(Full())
    env.reset(seed=1)
    snapshot = {**env.snapshot(), "state": [{".odd": {"odd": 0}}]}
    assert Replayable(Full()).repeat([snapshot]) == "ValueError: plain data has no kind 'odd'"


def test_what_cannot_be_kept_says_why():
    with pytest.raises(ValueError, match="EnvPool's environments cannot be saved"):
        object.__new__(Pool).snapshot()


def test_the_notes_of_short_episodes_stay_short():
    env = Replayable(gym.make("rstdp/Cue-v0"))
    env.reset(seed=0)
    for _ in range(1000):
        if any(env.step(0)[2:4]):
            env.reset()
    assert len(env.snapshot()["actions"]) <= NOTE_EVERY + 1


def test_plain_values_come_back_with_their_bits():
    value = {
        "a": (1, 2.5, None, [True, "x"]),
        3: np.float32(0.1),
        "b": np.arange(6, dtype=np.int8).reshape(2, 3),
        "c": np.nan,
    }
    back = from_plain(json.loads(json.dumps(to_plain(value))))
    assert repr(back) == repr(value)
    assert (type(back[3]), back["b"].dtype) == (np.float32, np.int8)
    with pytest.raises(TypeError, match="Box cannot be written as plain data"):
        to_plain(gym.spaces.Box(0, 1))
    with pytest.raises(TypeError, match="ndarray cannot be written"):
        to_plain(np.array([object()]))
