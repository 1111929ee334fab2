"""The Morris water maze: find an unmarked place, and remember where it is."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing, single
from .array_vector import DrawnAhead
from .geometry import length, within_unit

REWARDS = 1.0, -0.01
"""On the platform, and for every other step."""


class WaterMaze(gym.Env):
    """A rat is let into a round pool from its edge and swims until it finds the platform, always at the same place under water.

    After Morris (1981), "Spatial localization does not require the presence of local cues"; as a task of spiking agents it is
    known from Vasilaki et al. (2009) and Frémaux et al. (2013). Another ``platform`` is the experiment's reversal.

    | | |
    | --- | --- |
    | observation | `Box(-1, 1, (2,))` float32: x and y in the pool, whose radius is 1; nothing shows the platform |
    | action | `Box(-1, 1, (2,))` float32: where to swim, as x and y; lengths above 1 count as 1, which is ``speed`` in a step |
    | reward | 1 on the platform, -0.01 for every other step |
    | start | at the edge, each direction equally likely |
    | end | on the platform; the registered version is cut off after 100 steps |
    | returns | at best 0.915 on average, a random policy gets about -0.7: 1 minus a hundredth of the steps |
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 12}  # noqa: RUF012 (as gym.Env declares it)
    observation_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def __init__(
        self, platform: tuple[float, float] = (0.35, 0.35), radius: float = 0.2, speed: float = 0.1,
        render_mode: str | None = None,
    ) -> None:  # fmt: skip
        self.radius, self.speed = checks.share("radius", radius), checks.share("speed", speed)
        self.platform, self.render_mode = np.asarray(platform, dtype=np.float64), checks.render_mode(render_mode)
        if self.platform.shape != (2,) or not math.hypot(*self.platform) < 1 - radius:
            raise ValueError(f"`platform` must be a place (x, y) inside the pool of radius 1; received {platform!r}")
        self.place = np.zeros(2)
        self.path: list[np.ndarray] = []

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.place = drawn(self.np_random)[0]
        self.path = [self.place]
        return self._seen(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        (x, y), (to_x, to_y) = self.place.tolist(), np.asarray(action, dtype=np.float64).tolist()
        self.place = np.array(swum(x, y, to_x, to_y, self.speed, single))
        self.path.append(self.place)
        found = self._found()
        return self._seen(), single.where(found, *REWARDS), found, False, {}

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride] (None without a render mode)
        """The pool from above, the platform as a light, green once it is found; the rat in blue, with dots where it swam."""
        if self.render_mode is None:
            return None
        pixels = drawing.field(drawing.WALL)
        drawing.disc(pixels, (0.0, 0.0), 1.0, drawing.FLOOR)
        drawing.disc(pixels, self.platform, self.radius, drawing.RIGHT if self._found() else drawing.LIGHT)
        for place in self.path:
            drawing.disc(pixels, place, 0.02, drawing.AGENT)
        drawing.disc(pixels, self.place, 0.06, drawing.AGENT)
        return pixels

    def _found(self) -> bool:
        x, y = self.place.tolist()
        return is_found(x, y, self.platform.tolist(), self.radius, single)

    def _seen(self) -> np.ndarray:
        return self.place.astype(np.float32)


class WaterMazeVector(DrawnAhead):
    """`WaterMaze` in arrays."""

    def __init__(self, num_envs: int, max_episode_steps: int | None = None, **arguments: Any) -> None:
        one = WaterMaze(**arguments)
        super().__init__(one, num_envs, max_episode_steps)
        self.platform, self.radius, self.speed = one.platform, one.radius, one.speed
        self.place = np.zeros((2, num_envs))

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        return drawn(generator, count)

    def start(self, rows: np.ndarray, starts: np.ndarray) -> None:
        self.place[:, rows] = starts.T

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        (x, y), (to_x, to_y) = self.place, actions.T.astype(np.float64)
        x, y = swum(x, y, to_x, to_y, self.speed, np)
        self.place[0], self.place[1] = x, y
        found = is_found(x, y, self.platform, self.radius, np)
        return np.where(found, *REWARDS), found

    def seen(self) -> np.ndarray:
        return self.place.T.astype(np.float32, order="C")


def drawn(generator: np.random.Generator, count: int = 1) -> np.ndarray:
    """Places ``(count, 2)`` where episodes begin: at the edge, each direction equally likely."""
    angles = generator.uniform(0.0, 2 * math.pi, count).tolist()
    return np.array([(math.cos(angle), math.sin(angle)) for angle in angles])


def swum(x: Any, y: Any, to_x: Any, to_y: Any, speed: float, maths: Any) -> tuple[Any, Any]:
    """The place (x, y) after a stroke; numbers if ``maths`` is `single`, arrays if it is NumPy."""
    to_x, to_y = within_unit(to_x, to_y, maths)
    return within_unit(x + speed * to_x, y + speed * to_y, maths)


def is_found(x: Any, y: Any, platform: Any, radius: float, maths: Any) -> Any:
    """Whether (x, y) is on the platform; one or several, as for `swum`."""
    return length(x - platform[0], y - platform[1], maths) <= radius
