"""What passes from environments to agents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Transition(NamedTuple):
    """The result of an action; the leading axes of every array are ``(agents, envs)``."""

    obs: np.ndarray
    """Observation to act on next (for a finished env, the first of its new episode, or its last if it restarts later)."""
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    final_obs: np.ndarray | None = None
    """True last observation where `truncated`; other rows are not read. None if no env was truncated."""
    any_done: bool = True
    """False only if no episode ended, so that nobody needs to search for one."""
    restarted: np.ndarray | None = None
    """Envs that only restarted: their action was not taken, and nothing must be learnt from it. None if there are none."""
    info: np.ndarray | None = None
    """Numbers of `info` under the keywords of a grid, ``(agents, envs, keywords)``, see `info.at_ends`. None without keywords."""

    @property
    def forgotten(self) -> np.ndarray | None:
        """Envs whose episode state must be cleared: the episode ended, or only starts now. None if there are none."""
        if not self.any_done:
            return self.restarted
        done = self.terminated | self.truncated
        return done if self.restarted is None else done | self.restarted
