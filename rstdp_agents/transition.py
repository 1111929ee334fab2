"""What passes from environments to agents."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Transition(NamedTuple):
    """What came of an action; the leading axes of every array are ``(agents, envs)``."""

    obs: np.ndarray
    """Observation to act on next (of a finished env: the first of its new episode)."""
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    final_obs: np.ndarray | None = None
    """True last observation where `truncated`; other rows are not read. None if no env was truncated."""
    any_done: bool = True
    """False only if no episode ended, so that nobody needs to look for one."""
