"""Exclusive or as a task of one step: the smallest that no single input decides."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing
from .array_vector import DrawnAhead


class XOR(gym.Env):
    """Two binary inputs are shown; the answer is 1 if exactly one of them is on, else 0, and that was the episode.

    Florian (2007) lets a spiking network answer the same question by its firing rate.

    | | |
    | --- | --- |
    | observation | `Box(0, 1, (2,))` float32: the inputs, each pair equally likely |
    | action | `Discrete(2)`: the answer |
    | reward | 1 for the right answer, else 0 |
    | end | after one step |
    | returns | at best 1, a random policy gets 0.5; no answer that looks at one input alone does better than chance |
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012 (as gym.Env declares it)
    observation_space = gym.spaces.Box(0.0, 1.0, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = checks.render_mode(render_mode)
        self.inputs, self.answer = np.zeros(2, dtype=np.float32), -1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.inputs, self.answer = drawn(self.np_random), -1
        return self.inputs.copy(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.answer = int(action)
        return self.inputs.copy(), float(self._right()), True, False, {}

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride] (None without a render mode)
        """Above the inputs as lights, below the answers 0 and 1, the given one in green or red."""
        if self.render_mode is None:
            return None
        cells = drawing.blank(2, 2)
        cells[0, self.inputs > 0] = drawing.LIGHT
        if self.answer >= 0:
            cells[1, self.answer] = drawing.verdict(self._right())
        return drawing.picture(cells)

    def _right(self) -> bool:
        return is_right(self.answer, *self.inputs.tolist())


class XORVector(DrawnAhead):
    """`XOR` in arrays."""

    def __init__(self, num_envs: int, max_episode_steps: int | None = None, **arguments: Any) -> None:
        super().__init__(XOR(**arguments), num_envs, max_episode_steps)
        self.inputs = np.zeros((num_envs, 2), np.float32)

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        return drawn(generator, count)

    def start(self, rows: np.ndarray, starts: np.ndarray) -> None:
        self.inputs[rows] = starts

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return is_right(actions, *self.inputs.T).astype(np.float64), np.ones(self.num_envs, dtype=bool)

    def seen(self) -> np.ndarray:
        return self.inputs.copy()


def drawn(generator: np.random.Generator, *count: int) -> np.ndarray:
    """The inputs ``(2,)`` of an episode, each pair equally likely; or ``(count, 2)`` those of several, one after the other."""
    return generator.integers(2, size=(*count, 2)).astype(np.float32)


def is_right(answer: Any, first: Any, second: Any) -> Any:
    """Whether an answer is the exclusive or of two inputs."""
    return answer == (first != second)
