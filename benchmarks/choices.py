"""What was chosen in every trial of a NeuroGym task, as numbers in `info` at its end.

NeuroGym's own ``performance`` is not counted where there is a right action: at the end of a trial it is set to zero after the
next trial has begun, so that going without a response, when that is right (GoNogo), counts as wrong in 2.3.1.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from rstdp_agents.environments.info import TRIAL

DECISION = "decision"
"""Name of the period in which an action is a response."""
RIGHT = 2
"""Action that stands for the right one of two sides."""


class Choice(NamedTuple):
    """A trial that has ended."""

    correct: float
    """1 or 0; for a reach, how close it came, from 0 (none, or far off) to 1."""
    action: float
    """That ended the trial; 0 for none. For a reach, 1."""
    coherence: float
    """In percent, of the stimulus that counts: negative to the left. nan for tasks without."""
    reaction: float
    """From the start of the decision period to the response (ms); nan without one."""


KEYWORDS = Choice._fields


class Choices(gym.Wrapper):
    """Adds a `Choice` to `info` at the end of every trial, and has seeds count, which NeuroGym's ``reset`` ignores."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if seed is not None:
            self._task.seed(seed)
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        task = self._task
        trial, truth, since = task.trial, task.gt[-1], task.t - task.start_t[DECISION]  # of the trial that may end now
        obs, reward, ended, cut, info = self.env.step(action)
        if info[TRIAL]:
            info |= choice(trial, truth, action, since, info["performance"])._asdict()
        return obs, reward, ended, cut, info

    @property
    def _task(self) -> Any:
        return self.env.unwrapped


def choice(trial: dict[str, Any], truth: Any, action: Any, since: float, performance: float) -> Choice:
    """What an action was that ended a trial. truth: the right action. since: start of the decision period (ms)."""
    if np.ndim(truth):
        responded, correct, response = action[0] > 0, float(performance), 1.0
    else:
        responded, correct, response = action != 0, float(action == truth), float(action)
    relevant = trial.get("coh", trial.get(f"coh_{trial.get('context', 0) + 1}", np.nan))
    side = 1.0 if np.ndim(truth) == 0 and truth == RIGHT else -1.0
    return Choice(correct, response if responded else 0.0, side * relevant + 0.0, since if responded else np.nan)
