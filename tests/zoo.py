"""Spaces of every kind that the tests go through."""

import copy

import gymnasium as gym
import numpy as np
from gymnasium import spaces

OBSERVATIONS = {
    "box": spaces.Box(-1.0, 1.0, (3,)),
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
