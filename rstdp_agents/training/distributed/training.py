"""Training by several processes that share the envs of every agent."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base import validate
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments import EnvGrid, build_grid
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.distributed.agent import SharedAgent
from rstdp_agents.training.distributed.ranks import Ranks
from rstdp_agents.training.episodes import Episode, EpisodeTracker
from rstdp_agents.training.loop import Training
from rstdp_agents.training.runs.checkpoint import checkpoint_path, drop_old
from rstdp_agents.training.runs.resume import Position

PER_ENV = re.compile(r"\.(x|y|z\d+|credit\d+|pre|trace|features)$")
"""Names of the tensors of an agent that it has for every env, ``(agents, envs, ...)``, besides the states of its neurons."""


class SharedTraining(Training):
    """A `Training` whose envs are spread over ``ranks``; `config.envs_per_agent` are those of all of them.

    All ranks hold the same weights and make the same steps. Rank 0 alone writes, and what it writes is that of a single process
    with all the envs: a checkpoint goes on with any number of ranks. Activity and learning in TensorBoard are of its own envs.
    """

    def __init__(self, ranks: Ranks, config: RunConfig, folder: Path | None, checkpoint: Path | None = None) -> None:
        own = config.vectorization in ("auto", "serial", "async", "envpool")
        validate.require(own, "`vectorization` vector cannot be spread over ranks: its envs share a random generator")
        validate.require(
            not config.eval_every, "`eval_every` is not done by several ranks: evaluate checkpoints by eval"
        )
        self._parent = os.getppid()
        self.ranks, here = ranks, ranks.share(config.envs_per_agent)
        self.mine = slice(ranks.rank * here, (ranks.rank + 1) * here)
        super().__init__(config, folder, checkpoint)

    def finish(self) -> dict[str, Any]:
        """As `Training.finish`, on rank 0; elsewhere nothing is done and nothing returned."""
        return {} if self.ranks.rank else super().finish()

    def _make_envs(self, config: RunConfig) -> EnvGrid:
        how = "serial" if config.vectorization == "auto" else config.vectorization
        here = self.ranks.share(config.envs_per_agent)
        more = {"first": self.mine.start, "keywords": config.info_keywords, "timeout": config.env_timeout}
        return build_grid(how, self.source, self.kwargs, config.agents, here, **more)

    def _ranged(self, config: RunConfig) -> RunConfig:
        return self.ranks.told(super()._ranged(config))  # a slow env may show each rank another range

    def _make_agent(self, config: RunConfig, spaces: tuple[gym.Space, gym.Space]) -> Agent:
        here = self.ranks.share(config.envs_per_agent)
        self.shared = SharedAgent(
            self.ranks, config.agent, *spaces, seeds=config.seeds, envs=here, device=config.device
        )
        return self.shared

    def _make_tracker(self, config: RunConfig, threshold: float | None) -> EpisodeTracker:
        self.episodes = SharedTracker(self.ranks, config, threshold)
        return self.episodes

    def _open_folder(
        self, folder: Path | None, checkpoint: Path | None, before: Position | None, space: gym.Space
    ) -> None:
        if self.ranks.rank == 0:
            super()._open_folder(folder, checkpoint, before, space)
        else:
            nothing: Any = _Nothing()
            self.monitor, self.lock = nothing, nothing
        self.folder = self.ranks.told(self.folder)

    def _asked_to_stop(self, stop: list[int]) -> bool:
        """Whether any rank was asked to, or left by torchrun, before the last step: then all stop, at the same one."""
        agreed = self.shared.stop
        if os.getppid() != self._parent:
            stop.append(signal.SIGTERM)
        if agreed and not stop:
            stop.append(signal.SIGTERM)
        self.shared.stop = bool(stop)
        return agreed

    def _not_finite(self) -> str:
        """As `Training._not_finite`, of all ranks: then all stop."""
        return self.ranks.told(next(filter(None, self.ranks.gather(super()._not_finite())), ""))

    def save(self, envs: dict[str, Any] | None = None) -> None:
        """As `Training.save`; every rank has to call it. Rank 0 writes."""
        self._check()
        self._save(checkpoint_path(self.folder, self.step))
        if self.ranks.rank == 0:
            drop_old(self.folder, self.config.keep_checkpoints)

    def _position(self, checkpoint: Path) -> Position:
        whole = super()._position(checkpoint)
        here = {name: t[:, self.mine] if self._is_per_env(name) else t for name, t in whole.agent.items()}
        action = None if whole.action is None else whole.action[:, self.mine]
        episodes: Any = {name: _rows(value, self.mine) for name, value in whole.episodes.items()}
        envs = whole.envs
        envs = {**envs, **{name: self._mine(envs[name]) for name in ("envs", "learnt") if name in envs}}
        return whole._replace(agent=here, action=action, episodes=episodes, envs=envs)

    def _save(self, path: Path, envs: dict[str, Any] | None = None) -> None:
        self.shared.settle()
        self.episodes.exchange()
        tensors = self.agent.tensors()
        mine = {name: tensor.cpu() for name, tensor in tensors.items() if self._is_per_env(name)}
        everyone = self.ranks.gather((mine, self.action, self.tracker.to_json(), self._where()))
        if not everyone:
            return
        parts, actions, episodes, places = zip(*everyone, strict=True)
        whole = {name: torch.cat([part[name] for part in parts], 1) for name in mine}
        self._write(path, np.concatenate(actions, 1), self._whole_envs(places), _joined(episodes), {**tensors, **whole})

    def _is_per_env(self, name: str) -> bool:
        layer, _, field = name.rpartition(".")
        states = {each.name: each.neurons._fields for each in self.agent.network.layers}
        return bool(PER_ENV.search(name)) or field in states.get(layer, ())

    def _note(self, returns: np.ndarray, lengths: np.ndarray, envs: dict[str, Any]) -> None:
        """The closing evaluation, of rank 0 alone, is in the summary only: a best checkpoint would take all ranks."""

    def _whole_envs(self, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The snapshots of all ranks as one of all envs, agent after agent."""
        lost = [part["lost"] for part in parts if "lost" in part]
        joined = {
            name: self._join([part[name] for part in parts])
            for name in ("envs", "learnt")
            if all(name in p for p in parts)
        }
        if self._episodes_are_lost or lost or "done" in parts[0]:
            reason = (lost or ["several processes stepped vectors of them"])[0]
            return {"steps": parts[0]["steps"], "lost": reason, **joined, "envs": []}
        return {**parts[0], **joined}

    def _join(self, parts: Sequence[list[Any]]) -> list[Any]:
        """What is held for every env, of all ranks, agent after agent."""
        agents = self.config.agents
        rows = [
            [part[len(part) // agents * a : len(part) // agents * (a + 1)] for part in parts] for a in range(agents)
        ]
        return [one for row in rows for share in row for one in share]

    def _mine(self, each: list[Any]) -> list[Any]:
        """Of what is held for every env, agent after agent, what is here."""
        of_agent = len(each) // self.config.agents
        rows = [each[of_agent * a : of_agent * (a + 1)] for a in range(self.config.agents)]
        return [one for row in rows for one in row[self.mine]]


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
        if step % c.log_every < stride or step % c.checkpoint_every < stride or step >= c.total_steps:
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


class _Nothing:
    """In the place of what only rank 0 has: every method does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def _rows(value: Any, mine: slice) -> Any:
    """The envs ``mine`` of a list ``(agents, envs)``; numbers as they are."""
    return [row[mine] for row in value] if isinstance(value, list) else value


def _joined(parts: Sequence[Any]) -> Any:
    """Lists ``(agents, envs)`` of several ranks side by side; numbers are the same everywhere."""
    return {
        name: [list(chain(*rows)) for rows in zip(*(part[name] for part in parts), strict=True)]
        if isinstance(value, list)
        else value
        for name, value in parts[0].items()
    }
