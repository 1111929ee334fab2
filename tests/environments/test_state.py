"""What steps change in an environment: found wherever it is, kept as plain data, put back; what they never change stays."""

import itertools
import json
import random
from collections import Counter, deque, namedtuple
from dataclasses import dataclass
from enum import Enum

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.environments import SerialGrid
from rstdp_agents.environments.replay import ROOM, Replayable
from rstdp_agents.environments.state import SMALL, changed, put_state, state_of
from rstdp_agents.training.runs.resume import with_arrays, without_arrays

Point = namedtuple("Point", "x y")


class Mood(Enum):
    GOOD = 1
    BAD = 2


@dataclass(slots=True)
class Piece:
    at: int = 0


class Holder:
    def __init__(self):
        self.inner = Piece()


class Full(gym.Env):
    """Carries over something of every kind from episode to episode, and pays by it."""

    observation_space = gym.spaces.Discrete(100)
    action_space = gym.spaces.Discrete(2)
    shared = 0

    def __init__(self, bonus=0.0):
        self.bonus, self.level, self.visits = bonus, {"now": 0}, Counter()
        self.own, self.old, self.plain = np.random.default_rng(3), np.random.RandomState(3), random.Random(3)
        self.weights, self.recent, self.seen = torch.zeros(2), deque(maxlen=3), set()
        self.point, self.mood, self.holder = Point(0, 0), Mood.GOOD, Holder()
        self.pieces, self.table = [Piece(), Piece()], np.zeros(3)
        self.world = {"piece": Piece(), "n": 0}
        type(self).shared = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return 0, {}

    def step(self, action):
        self.t += 1
        self.level["now"] += 1
        self.visits[int(action)] += 1
        self.weights += 0.5
        self.recent.append(self.t)
        self.seen.add(self.t % 7)
        self.point = Point(self.point.x + 1, self.t)
        self.mood = Mood.BAD if self.level["now"] % 2 else Mood.GOOD
        self.holder.inner.at += 2
        self.pieces[1].at += 3
        self.table[self.t % 3] += 1
        self.world["piece"].at += 1
        self.world["n"] += 1
        type(self).shared += 1
        reward = self.own.random() + self.old.random_sample() + self.plain.random() + self.np_random.random()
        reward += sum(self.visits.values()) + float(self.weights.sum()) + sum(self.recent) + len(self.seen)
        reward += self.point.x + self.mood.value + self.holder.inner.at + self.pieces[1].at + self.table.sum()
        reward += self.world["piece"].at + self.world["n"] + type(self).shared + self.bonus
        return self.t % 100, reward, self.t == 11, False, {"own": self.own.random()}


def through_a_file(snapshot):
    arrays = {}
    return with_arrays(json.loads(json.dumps(without_arrays(snapshot, arrays))), arrays)


def lived(env, steps):
    """Rewards and infos of so many steps."""
    out = []
    for i in range(steps):
        _, reward, ended, cut, info = env.step(i % 2)
        out.append((float(reward), info.get("own")))
        if ended or cut:
            env.reset()
    return out


@pytest.mark.parametrize("steps", [0, 5, 11, 40])
@pytest.mark.parametrize("noted", [False, True])
def test_what_is_carried_over_comes_back_wherever_it_is(steps, noted, monkeypatch):
    monkeypatch.setattr("rstdp_agents.environments.replay.NOTE_EVERY", 4 if noted else 2048)
    monkeypatch.setattr("rstdp_agents.environments.replay.PER_NUMBER", 0)
    env = Replayable(Full())
    env.reset(seed=5)
    lived(env, steps)
    snapshot, shared = through_a_file(env.snapshot()), Full.shared
    expected = lived(env, 30)
    again = Replayable(Full())
    assert again.repeat([snapshot]) == ""
    assert Full.shared == shared
    assert lived(again, 30) == expected
    assert type(again.unwrapped.visits) is Counter
    assert type(again.unwrapped.point) is Point


def test_what_steps_never_change_is_the_owners():
    env = Replayable(Full(bonus=1.0))
    env.reset(seed=5)
    lived(env, 11)  # an episode has ended, and nothing of the next one has been paid
    snapshot = env.snapshot()
    assert ".bonus" not in snapshot["state"][0]
    other = Replayable(Full(bonus=2.0))
    assert other.repeat([snapshot]) == "the same actions from the same state led to different rewards"
    assert other.unwrapped.bonus == 2.0


def test_a_state_that_has_come_back_to_where_it_began_is_state_all_the_same():
    class Toggles(Full):
        def step(self, action):
            self.side = 1 - getattr(self, "side", 0)
            return super().step(action)

    env, again = Replayable(Toggles()), Replayable(Toggles())
    env.reset(seed=0)
    lived(env, 22)
    snapshot = env.snapshot()
    assert again.repeat([snapshot]) == ""
    assert again.unwrapped.side == env.unwrapped.side == 0


@pytest.mark.parametrize(
    ("part", "said"), [("reward", "rewards"), ("end", "ends of episodes"), ("obs", "observations")]
)
def test_what_cannot_be_repeated_is_found_out(part, said):
    hidden = itertools.count()  # of nobody

    class Hidden(gym.Env):
        observation_space, action_space = gym.spaces.Box(0, 1e9, (1,)), gym.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return np.zeros(1, np.float32), {}

        def step(self, action):
            n = next(hidden)
            obs = np.full(1, n if part == "obs" else 0, np.float32)
            return obs, float(n) if part == "reward" else 0.0, part == "end" and n % 5 == 0, False, {}

    env = Replayable(Hidden())
    env.reset(seed=0)
    for _ in range(7):
        if any(env.step(0)[2:4]):
            env.reset()
    assert said in Replayable(Hidden()).repeat([env.snapshot()])


def test_infos_that_differ_are_said_and_the_episode_goes_on(caplog):
    hidden = itertools.count()

    class Timed(Full):
        def step(self, action):
            return *super().step(action)[:4], {"time": float(next(hidden))}

    env = Replayable(Timed())
    env.reset(seed=0)
    env.step(0)
    assert Replayable(Timed()).repeat([env.snapshot()]) == ""
    assert "had different infos (from which nothing is learnt)" in caplog.text


def test_a_large_array_is_compared_and_not_kept():
    class Large(Full):
        def __init__(self):
            super().__init__()
            self.canvas = np.zeros(SMALL + 1)

        def step(self, action):
            self.canvas += self.level["now"]
            return super().step(action)

    env = Replayable(Large())
    env.reset(seed=0)
    lived(env, 5)
    snapshot = env.snapshot()
    assert len(json.dumps(snapshot["state"])) < 40_000
    assert Replayable(Large()).repeat([snapshot]) == ""
    other = Replayable(Large())
    other.unwrapped.canvas += 1
    assert other.repeat([snapshot]) == "canvas of Large is too large to be saved, and has changed"


def test_only_what_differs_is_written():
    env = Full()
    before = state_of(env)
    env.level["now"] = 3
    assert changed(state_of(env), before) == {".level": {"dict": [["now", 3]]}}
    put_state(env, before)
    assert env.level == {"now": 0}


@pytest.mark.parametrize(
    "space",
    [
        gym.spaces.Discrete(3, start=5),
        gym.spaces.Box(-1, 1, (2, 2)),
        gym.spaces.MultiDiscrete([2, 3]),
        gym.spaces.Dict(a=gym.spaces.Discrete(2), b=gym.spaces.Tuple((gym.spaces.Box(0, 1, (3,)), gym.spaces.MultiBinary(2)))),
    ],
)  # fmt: skip
def test_actions_of_any_space_come_back_to_the_bit_though_the_env_changes_what_it_gets(space):
    class Spoils(gym.Env):
        observation_space, action_space = gym.spaces.Discrete(1), space

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            return 0, {}

        def step(self, action):
            reward = float(gym.spaces.flatten(space, action) @ np.arange(1, 1 + gym.spaces.flatdim(space)))
            for part in action.values() if isinstance(action, dict) else [action]:
                if isinstance(part, np.ndarray):
                    part *= 0
            return 0, reward, False, False, {}

    env = Replayable(Spoils())
    env.reset(seed=0)
    space.seed(1)
    paid = [env.step(space.sample())[1] for _ in range(9)]
    assert len(set(paid)) > 1
    assert Replayable(Spoils()).repeat([through_a_file(env.snapshot())]) == ""


def test_episodes_without_end_take_no_more_than_their_room():
    class Endless(Full):
        def step(self, action):
            return 0, 0.0, False, False, {}

    env = Replayable(Endless(), room=0)
    env.reset(seed=0)
    most = env._most
    for _ in range(most):
        env.step(0)
    assert env.snapshot()["actions"].nbytes == most * 8
    env.step(0)
    with pytest.raises(ValueError, match=f"an episode of more than {most:,} steps is not repeated"):
        env.snapshot()
    assert len(env._rewards) == 0
    env.step(0)
    with pytest.raises(ValueError, match="is not repeated"):
        env.snapshot()
    env.reset()
    env.step(0)
    assert len(env.snapshot()["actions"]) == 1


def test_the_room_is_that_of_all_envs_together():
    grid = SerialGrid("Pendulum-v1", {}, 2, 2)
    assert [env._most for env in grid.envs] == [ROOM // 4 // 4] * 4  # four bytes an action
    grid.close()


def test_classes_of_compiled_code_may_name_no_module():
    class Nameless(type):
        @property
        def __module__(cls):
            raise AttributeError("__module__")

    class Body(metaclass=Nameless):
        def __init__(self):
            self.at = 1

    env = Full()
    env.body = Body()
    assert state_of(env)[".body.at"] == 1
