"""A population, split over CPU threads where that pays."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from rstdp_agents.agent.fused.state import State

WORTH_SPLITTING = 200_000
"""Eligibilities above which a call is split over threads; with fewer, it takes less than about 0.3 ms."""


class Threads:
    """Calls compiled code for all agents. synapses: that a call goes through, with their eligibilities."""

    def __init__(self, agents: int, threads: int, synapses: int) -> None:
        self._agents, parts = agents, min(threads, agents) if synapses >= WORTH_SPLITTING else 1
        self._parts = list(pairwise(np.linspace(0, agents, parts + 1).astype(int).tolist()))
        self._pool = ThreadPoolExecutor(parts, "agents", torch.set_flush_denormal, (True,)) if parts > 1 else None

    def all_agents(self, kernel: Callable[..., None], state: State) -> Callable[..., None]:
        """What calls ``kernel(state, begin, end, *rest)`` for all agents, given the rest."""
        pool = self._pool
        if pool is None:
            return partial(kernel, state, 0, self._agents)

        def run(*rest: Any) -> None:
            for part in [pool.submit(kernel, state, *part, *rest) for part in self._parts]:
                part.result()

        return run
