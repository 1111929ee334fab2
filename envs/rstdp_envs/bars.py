"""Bars: images that no sum of pixels tells apart."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing
from .array_vector import DrawnAhead

ON = 255


class Bars(gym.Env):
    """One row or one column of a square image is lit. Is the bar horizontal or vertical?

    Each pixel is lit as often by horizontal bars as by vertical ones, and no weighted sum of pixels is positive for all rows
    and negative for all columns, because both add up to the sum of all weights: the task needs hidden features, and
    the same ones are useful everywhere in the image. After the bars of Földiák (1990).

    | | |
    | --- | --- |
    | observation | `Box(0, 255, (size, size))` uint8: a grey image, 255 along the bar, 0 elsewhere |
    | action | `Discrete(2)`: 0 for a row, 1 for a column |
    | reward | 1 for the right answer, else 0 |
    | end | after one step |
    | returns | at best 1, a random policy gets 0.5; a weighted sum of pixels misses at least one bar, 1 - 0.5 / size |
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012 (as gym.Env declares it)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, size: int = 5, render_mode: str | None = None) -> None:
        self.size, self.render_mode = checks.whole("size", size, 2), checks.render_mode(render_mode)
        self.observation_space = gym.spaces.Box(0, ON, (size, size), np.uint8)
        self.lit, self.stands, self.place, self.right = lit(size), 0, 0, None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.stands, self.place = int(self.np_random.integers(2)), int(self.np_random.integers(self.size))
        self.right = None
        return self._image(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.right = int(action) == self.stands
        return self._image(), float(self.right), True, False, {}

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride] (None without a render mode)
        """The bar in light; green after a right answer, red after a wrong one."""
        if self.render_mode is None:
            return None
        cells = drawing.blank(self.size, self.size)
        cells[self._image() > 0] = drawing.LIGHT if self.right is None else drawing.verdict(self.right)
        return drawing.picture(cells)

    def _image(self) -> np.ndarray:
        image = np.zeros(self.size * self.size, dtype=np.uint8)
        image[self.lit[self.stands, self.place]] = ON
        return image.reshape(self.size, self.size)


class BarsVector(DrawnAhead):
    """`Bars` in arrays."""

    def __init__(self, num_envs: int, max_episode_steps: int | None = None, **arguments: Any) -> None:
        one = Bars(**arguments)
        super().__init__(one, num_envs, max_episode_steps)
        self.size, self.lit = one.size, one.lit
        self.stands, self.place = (np.zeros(num_envs, np.int64) for _ in range(2))

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        return generator.integers((2, self.size), size=(count, 2))

    def start(self, rows: np.ndarray, starts: np.ndarray) -> None:
        self.stands[rows], self.place[rows] = starts.T

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (actions == self.stands).astype(np.float64), np.ones(self.num_envs, dtype=bool)

    def seen(self) -> np.ndarray:
        images = np.zeros((self.num_envs, self.size * self.size), dtype=np.uint8)
        images[self.all_rows[:, None], self.lit[self.stands, self.place]] = ON
        return images.reshape(-1, self.size, self.size)


def lit(size: int) -> np.ndarray:
    """Which pixels of an image, counted along its rows, each bar lights: ``(2, size, size)``, by whether it stands, and place."""
    pixels = np.arange(size * size).reshape(size, size)
    return np.stack([pixels, pixels.T])
