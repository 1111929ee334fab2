"""Training by several processes that share the envs of every agent."""

from __future__ import annotations

import os
import signal
from typing import TypeVar

import gymnasium as gym

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.base import validate
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments.build import Vectorization
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.distributed.backend import SharedBackend
from rstdp_agents.training.distributed.ranks import Ranks
from rstdp_agents.training.episodes import Episode, EpisodeTracker

T = TypeVar("T")


class RankPeers:
    """The `training.peers.Peers` of a process group; `config.envs_per_agent` are those of all of them.

    All ranks hold the same weights and make the same steps. Rank 0 alone writes, and what it writes is that of a single process
    with all the envs: a checkpoint goes on with any number of ranks. Activity and learning in TensorBoard are of its own envs.
    Raises ValueError for settings that cannot be spread.
    """

    several = True

    def __init__(self, ranks: Ranks, config: RunConfig) -> None:
        own = config.vectorization in ("auto", "serial", "async", "envpool")
        validate.require(
            own, "`vectorization` vector cannot be spread over ranks: its envs may share a random generator"
        )
        validate.require(
            not config.eval_every, "`eval_every` is not done by several ranks: evaluate checkpoints by eval"
        )
        ranks.share(config.envs_per_agent)
        self.ranks, self.writes = ranks, ranks.rank == 0
        self._parent = os.getppid()
        self._backend: SharedBackend
        self._tracker: SharedTracker

    def mine(self, config: RunConfig) -> slice:
        here = self.ranks.share(config.envs_per_agent)
        return slice(self.ranks.rank * here, (self.ranks.rank + 1) * here)

    def vectorization(self, config: RunConfig) -> Vectorization:
        return "serial" if config.vectorization == "auto" else config.vectorization

    def agree(self, value: T) -> T:
        return self.ranks.broadcast(value)

    def gather(self, value: T) -> list[T]:
        return self.ranks.gather(value)

    def agent(self, config: RunConfig, spaces: tuple[gym.Space, gym.Space]) -> Agent:
        here = self.ranks.share(config.envs_per_agent)
        return Agent(config.agent, *spaces, seeds=config.seeds, envs=here, device=config.device, backend=self._run)

    def tracker(self, config: RunConfig, threshold: float | None) -> EpisodeTracker:
        self._tracker = SharedTracker(self.ranks, config, threshold)
        return self._tracker

    def settle(self) -> None:
        self._backend.settle()
        self._tracker.exchange()

    def stop(self, asked: list[int]) -> bool:
        """Whether any rank was asked to, or left by torchrun, before the last step: then all stop, at the same one."""
        agreed = self._backend.stop
        if not asked and (agreed or os.getppid() != self._parent):
            asked.append(signal.SIGTERM)
        self._backend.stop = bool(asked)
        return agreed

    def _run(self, parts: AgentParts) -> SharedBackend:
        self._backend = SharedBackend(parts, self.ranks)
        return self._backend


class SharedTracker(EpisodeTracker):
    """The tracker of a rank's envs. Rank 0 gets to know the episodes of all ranks where it logs and where it saves."""

    def __init__(self, ranks: Ranks, config: RunConfig, threshold: float | None) -> None:
        super().__init__(config.agents, ranks.share(config.envs_per_agent), threshold, len(config.info_keywords))
        self.ranks, self.config = ranks, config
        self._waiting: list[Episode] = []
        self._known: list[Episode] = []

    def add(self, t: Transition, step: int) -> list[Episode]:
        """As `EpisodeTracker.add`; the episodes of all ranks, in the order of a single process, where rank 0 gets them."""
        self._waiting += self.ended(t, step)
        stride, c = self.config.envs_per_agent, self.config
        if step % c.points_every < stride or step % c.checkpoint_every < stride or step >= c.total_steps:
            self.exchange()
        known, self._known = self._known, []
        return known

    def exchange(self) -> None:
        """Bring the episodes that ended to rank 0; every rank has to call it."""
        gathered = [(e.step, e.agent, rank, e) for rank, es in enumerate(self.ranks.gather(self._waiting)) for e in es]
        self._waiting = []
        for *_, episode in sorted(gathered, key=lambda known: known[:3]):
            self.records[episode.agent].add(episode, self.threshold)
            self._known.append(episode)
