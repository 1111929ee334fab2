"""A corridor with a choice at its end, which a sign decides."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing
from .array_vector import DrawnAhead

FORWARD, LEFT, RIGHT = 0, 1, 2
"""Actions; the sign uses the last two as well."""
HIDDEN = 0
"""The sign where it is not seen."""
WALL_COSTS = -0.1
"""Reward for walking into a wall."""


class TMaze(gym.Env):
    """Walk down a corridor of ``length`` cells and turn to the side that a sign at the start has named.

    visible: the sign is seen from everywhere, so that a policy without memory can do it; what is left is a reward that comes
    only after the whole corridor. With ``visible=False`` it is seen only in the first cell: then the task needs a policy
    with memory, and half of all turns are wrong without one, whatever is learnt.

    | | |
    | --- | --- |
    | observation | `Discrete(3 * (length + 1))`: 3 * place + sign; place 0 to length, sign 0 not seen, 1 left, 2 right |
    | action | `Discrete(3)`: 0 forward, 1 left, 2 right |
    | reward | 1 for the turn that the sign names, 0 for the other one, -0.1 for walking into a wall, 0 for a step forward |
    | start | place 0, either sign equally likely |
    | end | the turn at the junction (place = length); the registered version is cut off after 50 steps |
    | returns | at best 1, a random policy gets -0.35 for a length of 4 |
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012 (as gym.Env declares it)

    def __init__(self, length: int = 4, visible: bool = True, render_mode: str | None = None) -> None:
        self.length, self.visible = checks.whole("length", length, 1), visible
        self.render_mode = checks.render_mode(render_mode)
        self.observation_space, self.action_space = gym.spaces.Discrete(3 * (length + 1)), gym.spaces.Discrete(3)
        self.place, self.sign, self.turn = 0, LEFT, FORWARD

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.sign, self.turn = 0, int(drawn(self.np_random)), FORWARD
        return self._seen(), {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.place, reward, turned = walked(self.place, int(action), self.sign, self.length)
        if turned:
            self.turn = int(action)
        return self._seen(), reward, turned, False, {}

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride] (None without a render mode)
        """The maze from above, walked from left to right; a light beside the agent is the sign, on the side that it names."""
        if self.render_mode is None:
            return None
        cells = drawing.blank(3, self.length + 1, drawing.WALL)
        cells[1], cells[:, -1] = drawing.FLOOR, drawing.FLOOR
        row = {FORWARD: 1, LEFT: 0, RIGHT: 2}
        if self.turn == FORWARD and self._seen() % 3 != HIDDEN:
            cells[row[self.sign], self.place] = drawing.LIGHT
        cells[row[self.turn], self.place] = drawing.verdict(self.turn == self.sign) if self.turn else drawing.AGENT
        return drawing.picture(cells)

    def _seen(self) -> int:
        return 3 * self.place + (self.sign if self.visible or self.place == 0 else HIDDEN)


class TMazeVector(DrawnAhead):
    """`TMaze` in arrays."""

    def __init__(self, num_envs: int, max_episode_steps: int | None = None, **arguments: Any) -> None:
        one = TMaze(**arguments)
        super().__init__(one, num_envs, max_episode_steps)
        self.length, self.visible = one.length, one.visible
        self.place, self.sign = (np.zeros(num_envs, np.int64) for _ in range(2))

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        return drawn(generator, count)

    def start(self, rows: np.ndarray, starts: np.ndarray) -> None:
        self.place[rows], self.sign[rows] = 0, starts

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.place, rewards, turned = walked(self.place, actions, self.sign, self.length)
        return rewards, turned

    def seen(self) -> np.ndarray:
        return 3 * self.place + (self.sign if self.visible else np.where(self.place == 0, self.sign, HIDDEN))


def drawn(generator: np.random.Generator, count: int | None = None) -> Any:
    """The sign of an episode, each equally likely; those of ``count`` episodes, one after the other."""
    return generator.integers(LEFT, RIGHT + 1, size=count)


def walked(place: Any, action: Any, sign: Any, length: int) -> tuple[Any, Any, Any]:
    """Place after an action, its reward, and whether it was the turn; of several mazes if these are arrays."""
    at_junction, forward = place == length, action == FORWARD
    turned, bumped = at_junction > forward, at_junction == forward
    return place + (forward > at_junction), WALL_COSTS * bumped + (turned & (action == sign)), turned
