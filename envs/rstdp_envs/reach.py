"""Reach: continuous actions in two dimensions, and a goal that is elsewhere every time."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing


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
        self.hand = self.target
        while self._distance() <= self.radius:
            self.hand, self.target = self.np_random.uniform(-1.0, 1.0, (2, 2))
        self.way = self._distance()
        return self._seen(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        before = self._distance()
        self.hand = np.clip(self.hand + self.speed * np.clip(action, -1.0, 1.0), -1.0, 1.0)
        arrived = self._distance() <= self.radius
        gained = before - (0.0 if arrived else self._distance())
        return self._seen(), gained / self.way, arrived, False, {}

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
        return float(np.linalg.norm(self.target - self.hand))

    def _seen(self) -> np.ndarray:
        return np.concatenate([self.hand, self.target]).astype(np.float32)
