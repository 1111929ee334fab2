"""Reach: continuous actions in two dimensions, and a goal that is elsewhere every time."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing, single
from .array_vector import DrawnAhead
from .geometry import between_walls, length


class Reach(gym.Env):
    """A hand in a square moves towards a target: by up to ``speed`` along each axis in a step.

    | | |
    | --- | --- |
    | observation | `Box(-1, 1, (4,))` float32: the hand's x and y, the target's x and y |
    | action | `Box(-1, 1, (2,))` float32: velocity along x and y, in units of ``speed``; walls stop the hand |
    | reward | the distance covered in this step, as a share of the initial distance; on arrival, the rest counts as covered |
    | start | hand and target anywhere, uniformly, but more than ``radius`` apart |
    | end | arrival: the hand within ``radius`` of the target; the registered version is cut off after 30 steps |
    | returns | 1 on arrival, else the share of the distance covered (negative if it grew); a random policy gets about 0 |
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012 (as gym.Env declares it)
    observation_space = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
    action_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def __init__(self, speed: float = 0.2, radius: float = 0.2, render_mode: str | None = None) -> None:
        self.speed, self.radius = checks.share("speed", speed), checks.share("radius", radius)
        self.render_mode = checks.render_mode(render_mode)
        self.hand, self.target, self.way = np.zeros(2), np.ones(2), 1.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.hand, self.target = drawn(self.np_random, self.radius).reshape(2, 2)
        self.way = self._distance()
        return self._seen(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        before = self._distance()
        (x, y), (by_x, by_y) = self.hand.tolist(), (self.speed * between_walls(action, np)).tolist()
        self.hand = np.array((between_walls(x + by_x, single), between_walls(y + by_y, single)))
        reward, arrived = progress(before, self._distance(), self.way, self.radius, single)
        return self._seen(), reward, arrived, False, {}

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride] (None without a render mode)
        """The square from above: the target as a light, green on arrival; the hand in blue."""
        if self.render_mode is None:
            return None
        pixels = drawing.field()
        arrived = self._distance() <= self.radius
        drawing.disc(pixels, self.target, self.radius, drawing.RIGHT if arrived else drawing.LIGHT)
        drawing.disc(pixels, self.hand, 0.06, drawing.AGENT)
        return pixels

    def _distance(self) -> float:
        (x, y), (to_x, to_y) = self.hand.tolist(), self.target.tolist()
        return length(to_x - x, to_y - y, single)

    def _seen(self) -> np.ndarray:
        return np.concatenate([self.hand, self.target]).astype(np.float32)


class ReachVector(DrawnAhead):
    """`Reach` in arrays."""

    def __init__(self, num_envs: int, max_episode_steps: int | None = None, **arguments: Any) -> None:
        one = Reach(**arguments)
        super().__init__(one, num_envs, max_episode_steps)
        self.speed, self.radius = one.speed, one.radius
        self.places, self.way, self.distance = np.zeros((num_envs, 4)), np.ones(num_envs), np.ones(num_envs)

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        return drawn(generator, self.radius, count)

    def start(self, rows: np.ndarray, starts: np.ndarray) -> None:
        self.places[rows] = starts
        self.way[rows] = self.distance[rows] = apart(starts)

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        before, hands = self.distance, self.places[:, :2]
        hands[:] = between_walls(hands + self.speed * between_walls(actions, np), np)
        self.distance = apart(self.places)
        return progress(before, self.distance, self.way, self.radius, np)

    def seen(self) -> np.ndarray:
        return self.places.astype(np.float32)


def apart(places: np.ndarray) -> np.ndarray:
    """How far hands and targets are apart. places: x and y of both, ``(n, 4)``."""
    x, y, to_x, to_y = places.T
    return length(to_x - x, to_y - y, np)


def drawn(generator: np.random.Generator, radius: float, count: int = 1) -> np.ndarray:
    """Hands and targets ``(count, 4)`` at the start of episodes: uniform, but more than ``radius`` apart."""
    places = np.empty((0, 4))
    while len(places) < count:
        more = generator.uniform(-1.0, 1.0, (count - len(places), 4))
        places = np.concatenate([places, more[apart(more) > radius]])
    return places


def progress(before: Any, after: Any, way: Any, radius: float, maths: Any) -> tuple[Any, Any]:
    """The reward for coming from a distance to another one, and whether this is arrival; numbers or arrays, see `single`."""
    arrived = after <= radius
    return (before - maths.where(arrived, 0.0, after)) / way, arrived
