"""The Morris water maze: find an unmarked place, and remember where it is."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing


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
        angle = self.np_random.uniform(0.0, 2 * math.pi)
        self.place = np.array([math.cos(angle), math.sin(angle)])
        self.path = [self.place]
        return self._seen(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.place = within_unit(self.place + self.speed * within_unit(np.asarray(action, dtype=np.float64)))
        self.path.append(self.place)
        found = self._found()
        return self._seen(), 1.0 if found else -0.01, found, False, {}

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
        return math.dist(self.place, self.platform) <= self.radius

    def _seen(self) -> np.ndarray:
        return self.place.astype(np.float32)


def within_unit(vector: np.ndarray) -> np.ndarray:
    """``vector`` if its length is 1 at most, else shortened to 1."""
    return vector / max(1.0, math.hypot(*vector))
