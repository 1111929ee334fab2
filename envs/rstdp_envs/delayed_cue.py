"""A contextual bandit that pays late: credit has to cross observations that say nothing."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing
from .array_vector import DrawnAhead
from .cue import drawn


class DelayedCue(gym.Env):
    """The answer to a cue is given at once, in the first step; its reward comes ``delay`` steps later.

    In between the observation is the same for every cue and every answer, and actions do nothing. A policy needs no memory,
    but a learner does: a trace of what it did when the cue was present. The error of a critic cannot stand in for
    it, because the value of the neutral observation is the same after a right and after a wrong answer. So a learner
    that credits only its last action gets a signal that does not depend on the answer, and stays at chance.

    | | |
    | --- | --- |
    | observation | `Discrete(cues + 1)`: the cue in the first step, each equally likely, then ``cues``, the neutral observation |
    | action | `Discrete(cues)`: the answer in the first step; without effect afterwards |
    | reward | 1 if the answer is the number of the cue, else 0; in step 1 + delay, and 0 in all steps before |
    | end | after 1 + delay steps |
    | returns | at best 1, a random policy gets 1 / cues |
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012 (as gym.Env declares it)

    def __init__(self, cues: int = 4, delay: int = 5, render_mode: str | None = None) -> None:
        self.cues, self.delay = checks.whole("cues", cues, 2), checks.whole("delay", delay, 0)
        self.render_mode = checks.render_mode(render_mode)
        self.observation_space, self.action_space = gym.spaces.Discrete(cues + 1), gym.spaces.Discrete(cues)
        self.cue, self.answer, self.steps = 0, -1, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.cue, self.answer, self.steps = int(drawn(self.np_random, self.cues)), -1, 0
        return self.cue, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        if self.steps == 0:
            self.answer = int(action)
        self.steps += 1
        over, paid = paid_late(self.steps, self.delay, self.answer, self.cue)
        return self.cues, float(paid), over, False, {}

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride] (None without a render mode)
        """From above: the cue while it is shown; the answer, in green or red once it is paid for; the steps so far."""
        if self.render_mode is None:
            return None
        cells = drawing.blank(3, max(self.cues, self.delay + 1))
        cells[:2, self.cues :] = cells[2, self.delay + 1 :] = drawing.WALL
        cells[2, : self.steps] = drawing.AGENT
        if self.steps == 0:
            cells[0, self.cue] = drawing.LIGHT
        elif self.steps <= self.delay:
            cells[1, self.answer] = drawing.AGENT
        else:
            cells[1, self.answer] = drawing.verdict(self.answer == self.cue)
        return drawing.picture(cells)


class DelayedCueVector(DrawnAhead):
    """`DelayedCue` in arrays."""

    def __init__(self, num_envs: int, max_episode_steps: int | None = None, **arguments: Any) -> None:
        one = DelayedCue(**arguments)
        super().__init__(one, num_envs, max_episode_steps)
        self.cues, self.delay = one.cues, one.delay
        self.cue, self.answer, self.steps = (np.zeros(num_envs, np.int64) for _ in range(3))

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        return drawn(generator, self.cues, count)

    def start(self, rows: np.ndarray, starts: np.ndarray) -> None:
        self.cue[rows], self.steps[rows] = starts, 0

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        np.copyto(self.answer, actions, where=self.steps == 0)
        self.steps += 1
        over, paid = paid_late(self.steps, self.delay, self.answer, self.cue)
        return paid.astype(np.float64), over

    def seen(self) -> np.ndarray:
        return np.where(self.steps == 0, self.cue, self.cues)


def paid_late(steps: Any, delay: int, answer: Any, cue: Any) -> tuple[Any, Any]:
    """Whether an episode is over after so many ``steps``, and whether it is paid for now."""
    over = steps > delay
    return over, over & (answer == cue)
