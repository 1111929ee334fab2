"""Spaces of every kind that the tests go through."""

import copy

import gymnasium as gym
import numpy as np
from gymnasium import spaces

OBSERVATIONS = {
    "box": spaces.Box(-1.0, 1.0, (3,)),
    "number": spaces.Box(-1.0, 1.0, ()),
    "integers": spaces.Box(0, 5, (2,), np.int64),
    "matrix": spaces.Box(-1.0, 1.0, (2, 2)),
    "many dimensions": spaces.Box(-1.0, 1.0, (11,)),
    "bytes": spaces.Box(0, 255, (128,), np.uint8),
    "picture": spaces.Box(0, 255, (8, 8, 3), np.uint8),
    "nothing": spaces.Box(0.0, 1.0, (0,)),
    "discrete": spaces.Discrete(5, start=-3),
    "multi-discrete": spaces.MultiDiscrete([3, 4], start=[1, 0]),
    "multi-discrete matrix": spaces.MultiDiscrete([[3, 4], [2, 2]]),
    "multi-binary": spaces.MultiBinary(10),
    "multi-binary matrix": spaces.MultiBinary((2, 3)),
    "tuple": spaces.Tuple((spaces.Discrete(32), spaces.Discrete(11), spaces.Discrete(2))),
    "dict": spaces.Dict(
        a=spaces.Box(-1.0, 1.0, (2,)),
        b=spaces.Dict(c=spaces.Discrete(3), d=spaces.Tuple([spaces.MultiBinary(2), spaces.Box(0, 9, (1,), np.int32)])),
    ),
    "text": spaces.Text(10),
    "one of": spaces.OneOf((spaces.Discrete(3), spaces.Box(-1.0, 1.0, (2,)))),
    "sequence": spaces.Sequence(spaces.Box(-1.0, 1.0, (2,))),
    "stacked sequence": spaces.Sequence(spaces.Dict(a=spaces.Box(-1.0, 1.0, (2,)), b=spaces.Discrete(3)), stack=True),
    "graph": spaces.Graph(spaces.Box(-1.0, 1.0, (3,)), spaces.Discrete(2)),
    "graph without edge features": spaces.Graph(spaces.Discrete(3), None),
    "grid world": spaces.Dict(
        image=spaces.Box(0, 255, (7, 7, 3), np.uint8), direction=spaces.Discrete(4), mission=spaces.Text(20)
    ),
    "nested": spaces.Sequence(spaces.OneOf((spaces.Discrete(2), spaces.Sequence(spaces.Discrete(2))))),
}


class Sampled(gym.Env):
    """Shows samples of its observation space, whatever is done; reward is the number of the step, and five steps an episode.

    name: of the space in `OBSERVATIONS`. cut: whether episodes are truncated.
    """

    action_space = spaces.Discrete(2)

    def __init__(self, name, cut=False):
        self.observation_space, self.cut = copy.deepcopy(OBSERVATIONS[name]), cut

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        self.steps += 1
        ended = self.steps == 5
        return self.observation_space.sample(), float(self.steps), ended and not self.cut, ended and self.cut, {}


gym.register("Sampled-v0", Sampled, reward_threshold=0.0)

ACTIONS = {
    "discrete": spaces.Discrete(3, start=-1),
    "multi-discrete": spaces.MultiDiscrete([3, 4], start=[1, 0]),
    "multi-discrete matrix": spaces.MultiDiscrete([[3, 4], [2, 2]]),
    "multi-binary": spaces.MultiBinary(4),
    "multi-binary matrix": spaces.MultiBinary((2, 3)),
    "box": spaces.Box(np.array([-0.4, 0.1], np.float32), np.array([0.4, 3.3], np.float32)),
    "number": spaces.Box(-0.5, 2.0, ()),
    "matrix": spaces.Box(-1.0, 1.0, (2, 2), np.float64),
    "unbounded": spaces.Box(np.array([-np.inf, 0.0], np.float32), np.inf, dtype=np.float32),
    "integers": spaces.Box(-2, 7, (3,), np.int8),
    "dict": spaces.Dict(
        a=spaces.Box(-1.0, 1.0, (2,)), b=spaces.Discrete(2, start=3), c=spaces.MultiDiscrete([3, 2], dtype=np.int32)
    ),
    "nested": spaces.Tuple(
        (spaces.Dict(a=spaces.MultiBinary(2)), spaces.Tuple([spaces.Discrete(3), spaces.Box(0, 9, (1, 2), np.int32)]))
    ),
}


class Match(gym.Env):
    """Every episode is one step: reward is the share of the action's components that are as the observation says.

    Both are MultiDiscrete([3, 4]); nested: both are Dicts with the components as Discretes instead. masked: in half of the
    episodes ``info`` forbids all but the right value of the second component, else nothing.
    """

    def __init__(self, nested=False, masked=False):
        self.nested, self.masked = nested, masked
        plain, parts = spaces.MultiDiscrete([3, 4]), {"a": spaces.Discrete(3), "b": spaces.Discrete(4, start=1)}
        self.observation_space = self.action_space = spaces.Dict(parts) if nested else plain

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.target = self.np_random.integers([3, 4])
        return self._observation(), self._info()

    def step(self, action):
        assert self.action_space.contains(action), action
        chosen = np.array([action["a"], action["b"] - 1]) if self.nested else action
        reward = float((chosen == self.target).mean())
        assert self.allowed[3:][chosen[1]], "a masked action was chosen"
        return self._observation(), reward, True, False, self._info()

    def _observation(self):
        a, b = self.target
        return {"a": a, "b": b + 1} if self.nested else self.target

    def _info(self):
        self.allowed = np.ones(7, dtype=np.int8)
        if self.masked and self.np_random.random() < 0.5:
            self.allowed[3:] = np.arange(4) == self.target[1]
        return {"action_mask": (self.allowed[:3], self.allowed[3:])} if self.masked else {}


gym.register("Match-v0", Match, reward_threshold=0.95)


class Point(gym.Env):
    """Every episode is one step: a Box and an integer Box are to be what the observation, a Tuple of two numbers, says."""

    observation_space = spaces.Tuple((spaces.Box(-1.0, 1.0, (1,)), spaces.Discrete(2)))
    action_space = spaces.Dict(
        x=spaces.Box(-np.inf, np.inf, (1,)), side=spaces.Discrete(2), n=spaces.Box(-3, 3, (1,), np.int64)
    )

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.obs = np.float32([self.np_random.choice([-1.0, 1.0])]), int(self.np_random.integers(2))
        return self.obs, {}

    def step(self, action):
        assert self.action_space.contains(action), action
        x, side = self.obs
        miss = abs(action["x"][0] - x[0]) + abs(int(action["n"][0]) - 2 * x[0]) / 3
        return self.obs, float((action["side"] == side) - miss), True, False, {}


gym.register("Point-v0", Point)
