"""The one entry to the compiled code of agents: a step, a window without learning, and what prepares a look at the arrays.

It is one, because what several entries have in common is optimised, and made into machine code, in each of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rstdp_agents.agent.fused.looks import go_on, show
from rstdp_agents.agent.fused.memory import seen
from rstdp_agents.agent.fused.step import act, step
from rstdp_agents.base.compiled import FAST, entry

LEARN, BEGIN, ACT, SHOW, GO_ON, STAY = range(6)
"""What to do: `step` with learning or without, `act`, `looks.show`, `looks.go_on` as it was or for good as it is shown."""


class Came(NamedTuple):
    """What came of the last actions, as `step` takes it; nothing where nobody acted."""

    obs: np.ndarray
    final_obs: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    restarted: np.ndarray


def nothing(agents: int, envs: int) -> Came:
    """What comes where nobody acts."""
    nobody, obs = np.zeros((agents, envs), bool), np.zeros((agents, envs, 0))
    return Came(obs, obs, np.zeros((agents, envs)), nobody, nobody, nobody)


@entry(fastmath=FAST, nogil=True)
def kernel(s, begin, end, what, obs, final_obs, reward, terminated, truncated, restarted):
    """Do ``what`` with the agents from ``begin`` to ``end``. s: `state.State`. The others: of `Came`."""
    obs, final_obs, reward = seen(obs), seen(final_obs), seen(reward)
    terminated, truncated, restarted = seen(terminated), seen(truncated), seen(restarted)
    for a in range(begin, end):
        if what <= BEGIN:
            step(s, a, obs[a], final_obs[a], reward[a], terminated[a], truncated[a], restarted[a], what == LEARN)
        elif what == ACT:
            act(s, a, obs[a])
        elif what == SHOW:
            show(s, a)
        else:
            go_on(s, a, what == STAY)
