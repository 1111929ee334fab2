"""What passes from environments to agents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Transition(NamedTuple):
    """What came of an action; the leading axes of every array are ``(agents, envs)``."""

    obs: np.ndarray
    """Observation to act on next (of a finished env: the first of its new episode, or its last where it restarts later)."""
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    final_obs: np.ndarray | None = None
    """True last observation where `truncated`; other rows are not read. None if no env was truncated."""
    any_done: bool = True
    """False only if no episode ended, so that nobody needs to look for one."""
    restarted: np.ndarray | None = None
    """Envs that only started again: their action was not taken, nothing is to be learnt from it. None if there are none."""
    info: np.ndarray | None = None
    """Numbers of `info` under the keywords of a grid, ``(agents, envs, keywords)``, see `info.at_ends`. None without keywords."""

    @property
    def forgotten(self) -> np.ndarray | None:
        """Envs whose episode is to be forgotten: it ended, or only now starts. None if there are none."""
        if not self.any_done:
            return self.restarted
        done = self.terminated | self.truncated
        return done if self.restarted is None else done | self.restarted
