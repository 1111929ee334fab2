"""Choice of how a run's environments are stepped."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, Literal

from rstdp_agents.base import memory
from rstdp_agents.base.errors import UsageError
from rstdp_agents.environments.envpool import Pool
from rstdp_agents.environments.grid import EnvGrid
from rstdp_agents.environments.processes import Processes
from rstdp_agents.environments.serial import SerialGrid
from rstdp_agents.environments.source import EnvSource, Instance
from rstdp_agents.environments.vector import VectorGrid, own_vector, seeds_rows

logger = logging.getLogger(__name__)

Vectorization = Literal["auto", "serial", "async", "vector", "envpool"]
ENVIRONMENT = 5_000
"""Bytes of an environment with its generator and guard; most take more."""
ROW = 100
"""Bytes of an environment within a vector environment."""
SEEDED_ROW = 1_000
"""The same with a generator of its own."""
OWN_VECTOR_FROM = 16
"""Envs from which `auto` uses an environment's own vector implementation: in all if it takes a seed per row, else per agent."""


def build_grid(
    how: Vectorization, source: EnvSource, kwargs: dict[str, Any], agents: int, envs: int, first: int = 0,
    keywords: tuple[str, ...] = (), timeout: float = 0.0,
) -> EnvGrid:  # fmt: skip
    """The grid of ``(agents, envs)`` that `RunConfig.vectorization` asks for. Raises UsageError if that is impossible.

    timeout: seconds that a step may take, see `RunConfig.env_timeout`.
    """
    rows, vector = agents * envs, partial(VectorGrid, agents=agents, envs=envs, keywords=keywords)
    if isinstance(source, Instance) and (rows > 1 or how not in ("auto", "serial")):
        raise UsageError(
            f"a single environment serves one agent with one env, `serial`, not {agents} with {envs}: pass its class, or a "
            "function that makes one"
        )
    room = partial(memory.require, what=f"{rows} environments (`--agents` {agents}, `--envs-per-agent` {envs})")
    together = how == "vector" or (how == "auto" and rows >= OWN_VECTOR_FROM)
    seeded = together and seeds_rows(source)
    room(rows * (SEEDED_ROW if seeded else ROW))
    if how == "vector":
        return vector([own_vector(source, kwargs, rows)], seed_rows=seeded, first=first)
    if how == "async":
        room(rows * ENVIRONMENT)
        return vector([Processes(source, kwargs, rows, timeout)], seed_rows=True, first=first)
    if how == "envpool":
        return vector([Pool(source, kwargs, rows)], seed_rows=True, first=first)
    if how == "auto" and together:
        try:
            if seeded:
                return vector([own_vector(source, kwargs, rows)], seed_rows=True, first=first)
            if envs >= OWN_VECTOR_FROM:
                room(agents * ENVIRONMENT)
                return vector([own_vector(source, kwargs, envs) for _ in range(agents)], seed_rows=False)
        except UsageError as reason:
            logger.debug("environments are stepped one after the other: %s", reason)
    room(rows * ENVIRONMENT)
    return SerialGrid(source, kwargs, agents, envs, first, keywords)
