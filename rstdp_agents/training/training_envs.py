"""The environments that a run trains in: resumed, made again after a failure, closed for evaluations if need be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments import EnvGrid, EnvSource, Instance, build_grid
from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.peers import Peers
from rstdp_agents.training.runs.checkpoint import one_line

logger = logging.getLogger(__name__)
T = TypeVar("T")


class TrainingEnvs:
    """The current grid. `running`: whether its episodes are those that the next actions were chosen for."""

    def __init__(self, config: RunConfig, source: EnvSource, kwargs: dict[str, Any], peers: Peers) -> None:
        self._config, self._source, self._kwargs, self._peers = config, source, kwargs, peers
        self.running = False
        self._use(self._make())
        self._are_lost = False
        self._lends = isinstance(source, Instance)
        self._before_play: tuple[int, dict[str, Any]] = -1, {}

    def reset(self, seeds: tuple[int, ...]) -> np.ndarray:
        """As `EnvGrid.reset`."""
        self.running = True
        return self.grid.reset(seeds)

    def close(self) -> None:
        """As `EnvGrid.close`."""
        self.grid.close()

    def lose(self) -> None:
        """Mark the state of the episodes as unknown: an environment failed, the others may have taken the step."""
        self._are_lost = True

    def where(self) -> dict[str, Any]:
        """The state of the envs, see `EnvGrid.snapshot`."""
        if self._are_lost:
            return {"steps": self.grid.steps, "lost": "an environment failed", "learnt": self.learnt()}
        return self.grid.snapshot()

    def learnt(self) -> list[Learnt]:
        """What wrappers have learnt, if envs that have failed can still tell."""
        try:
            return self.grid.learnt()
        except Exception:  # processes may be gone
            return []

    def resume(self, where: dict[str, Any], reason: str = "") -> None:
        """Resume from ``where``; if that is impossible, for a ``reason`` or otherwise, new episodes begin."""
        reason = reason or self._resume(where)
        self.running = not reason
        if reason:
            logger.warning("new episodes begin, because those in progress cannot be resumed: %s", reason)
            self.make_anew(where.get("learnt", []))

    def make_anew(self, learnt: list[Learnt]) -> None:
        """Replace the envs by new ones that keep only what wrappers have ``learnt``; new episodes must begin."""
        self.grid.close()
        self.running = False
        self._use(self._make())
        if learnt:
            self.grid.teach(learnt)

    def lend(self, play: Callable[[], T], where: dict[str, Any], step: int) -> T:
        """``play()`` in other envs, while these (at ``where``, after env step ``step``) are closed if need be."""
        if not self._lends:
            try:
                played = play()
                self._before_play = step, where
                return played
            except (UsageError, EnvironmentFault) as error:
                logger.info("the training environments are closed in evaluations: %s", error)
                self._lends = True
        self.grid.close()
        try:
            return play()
        finally:
            self._take_back(where)

    def came_back(self, fault: EnvironmentFault, step: int) -> bool:
        """Whether a fault came from a simulator that was shut down when other envs were closed; if so, reopens the envs."""
        before, where = self._before_play
        if self._lends or before != step:
            return False
        logger.info("the training environments are closed in evaluations from now on: %s", fault)
        self._lends = True
        self.grid.close()
        self._take_back(where)
        return True

    def _take_back(self, where: dict[str, Any]) -> None:
        if not isinstance(self._source, Instance):  # its owner closes it
            self._use(self._make())
        self.resume(where)

    def _resume(self, where: dict[str, Any]) -> str:
        try:
            return where.get("lost") or self.grid.resume(where)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
            return f"they are stepped in another way now, or are of another version ({type(error).__name__}: {one_line(error)})"

    def _use(self, grid: EnvGrid) -> None:
        self.grid = grid
        self.step: Callable[[np.ndarray], Transition] = grid.step
        """As `EnvGrid.step`."""

    def _make(self) -> EnvGrid:
        c, mine = self._config, self._peers.mine(self._config)
        return build_grid(
            self._peers.vectorization(c), self._source, self._kwargs, c.agents, mine.stop - mine.start, mine.start,
            keywords=c.info_keywords, timeout=c.env_timeout,
        )  # fmt: skip
