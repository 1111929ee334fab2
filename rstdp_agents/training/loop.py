"""The training loop, its checkpoints, and how it goes on from one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from rstdp_agents.agent.tensors import not_finite
from rstdp_agents.base import progress
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.errors import Diverged, EnvironmentFault
from rstdp_agents.base.progress import Bar, doing
from rstdp_agents.base.signals import stop_requests
from rstdp_agents.environments import EnvSource, env_seeds, reward_threshold
from rstdp_agents.training import compilation, standing
from rstdp_agents.training.config import RunConfig, source_of
from rstdp_agents.training.evaluation import play
from rstdp_agents.training.interaction import Interaction
from rstdp_agents.training.monitoring.metrics import NOTHING, Monitor, following
from rstdp_agents.training.peers import Alone, Nothing, Peers
from rstdp_agents.training.ranged import ranged
from rstdp_agents.training.recorder import Recorded, Recorder
from rstdp_agents.training.runs.checkpoint import backend_of, checkpoint_path, checkpoints, drop_old, save_checkpoint
from rstdp_agents.training.runs.evaluations import Evaluations
from rstdp_agents.training.runs.folder import hold, write_settings
from rstdp_agents.training.runs.opening import settle
from rstdp_agents.training.runs.resume import Position
from rstdp_agents.training.runs.summary import closing_evaluation, write_summary
from rstdp_agents.training.training_envs import TrainingEnvs

logger = logging.getLogger(__name__)
Callback = Callable[["Training"], Any]
"""Called at every point of the log; a run ends there where False is returned, and can be resumed."""


class Training:
    """A population in its environments, from the first step or from a checkpoint; a context that closes its files.

    folder: the run's own, made if need be, and held by a lock; None for a new one in ``runs``. checkpoint: where to go on from,
    or None; if it is one of this folder, the folder's files become what they were then. A run that was killed before its
    first checkpoint starts over; a folder that holds checkpoints of another is refused.
    env: what makes the environments, in place of what ``config.env`` names. peers: the processes that share the envs.
    Whoever watches a run sets `callback` and `recorder` before it begins.
    `until`: env step at which `run` pauses, if that is before its end.
    """

    def __init__(
        self, config: RunConfig, folder: Path | None, checkpoint: Path | None = None, env: EnvSource | gym.Env | None = None,
        peers: Peers | None = None,
    ) -> None:  # fmt: skip
        torch.set_num_threads(config.threads)
        flush_denormal()
        self.folder, self.step, self.faults = folder or Path(), 0, 0
        self.peers: Peers = peers or Alone()
        self.callback: Callback | None = None
        self.recorder: Recorder | None = None
        self.source, self.kwargs = source_of(config, env)
        self.stopped_by, self.until, self._last_fault = 0, config.total_steps, -1
        if checkpoint is None:  # a run that goes on keeps its code
            config = self.peers.agree(ranged(config, self.source, self.kwargs))
        self.config = config
        self.envs = TrainingEnvs(config, self.source, self.kwargs, self.peers)
        try:
            self._open(folder, checkpoint)
        except BaseException:
            self.envs.close()
            raise

    def __enter__(self) -> Training:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        try:
            self.monitor.close(self.step)
        except OSError:
            if error is None:  # else it has been said
                raise
        finally:
            self.envs.close()
            self.lock.release()

    def run(self) -> bool:
        """Train to the end; False if a signal asked to stop (`stopped_by`), or `callback` (0). Either way there is a checkpoint.

        An EnvironmentFault passes on, after a checkpoint; after other errors, as Diverged where numbers of the agents are no
        longer finite, the last checkpoint is the good one.
        """
        with stop_requests() as stop, compilation.said(), self._progress() as bar:
            try:
                self._loop(stop, bar)
            except EnvironmentFault:  # nothing of the faulty step has been learnt, but the envs may have gone on
                self.envs.lose()
                self.save()
                raise
            except OSError as error:  # a full disk, say
                raise OSError(error.errno, error.strerror, error.filename or str(self.folder)) from error
            finally:
                self._show(bar)
            self.save()
        self.stopped_by = stop[0] if stop else 0
        return not stop

    def _loop(self, stop: list[int], bar: Bar) -> None:
        config, stride = self.config, self.config.envs_per_agent
        self.play.player = self.agent if self.recorder is None else Recorded(self.agent, self.recorder)
        end, stops = min(self.until, config.total_steps), self.peers.stop
        often = [every for every in (config.eval_every, config.checkpoint_every, config.points_every) if every]
        due, envs, play, record = 0, self.envs, self.play.step, self.monitor.record
        while self.step < end and not stops(stop):
            if not envs.running:
                self._begin()
            try:
                transition, episodes = play(self.step + stride)
            except EnvironmentFault as fault:
                if not envs.came_back(fault, self.step):
                    self._begin_after(fault)
                continue
            self.step += stride
            record(self.step, transition, episodes)
            if self.step >= due:
                self._attend(stop)
                due = min(following(self.step, every) for every in often)
            if progress.clock() >= bar.next:  # as `Bar.due`, in every step
                self._show(bar)

    def _attend(self, stop: list[int]) -> None:
        """Evaluate, save and look at what is due after this env step."""
        config, stride = self.config, self.config.envs_per_agent
        evaluates = config.eval_every and self.step % config.eval_every < stride
        if evaluates or self.step % config.checkpoint_every < stride:
            self.save(self._evaluate() if evaluates else None)
        if self.step % config.points_every < stride:
            self._check()
            if self.callback is not None and self.callback(self) is False:
                stop.append(0)

    def save(self, envs: dict[str, Any] | None = None) -> None:
        """Write a checkpoint of this step, then what is copied from it, and drop old ones; every one of the peers calls it.

        envs: where they stand, if that is known already. Raises Diverged where there is nothing good to write.
        """
        self._check()
        path = checkpoint_path(self.folder, self.step)
        with doing("saving"):
            self._write(path, envs)
            if self.peers.writes:
                self.evaluations.publish(path, self.step)
                drop_old(self.folder, self.config.keep_checkpoints)

    def finish(self) -> dict[str, Any]:
        """Close the training envs, evaluate in others, and write summary.json; returns the summary, where it is written.

        Of several processes only the summary knows of the evaluation: a best checkpoint would take all of them.
        """
        if not self.peers.writes:
            return {}
        envs = self.envs.where()
        self.envs.close()  # a simulator may be to be had but once
        played = closing_evaluation(self.agent, self.config, self.source, self.kwargs, envs.get("learnt", []))
        if played and self.evaluations.last_step != self.step and not self.peers.several:
            self.evaluations.add(self.step, *played["greedy"])
            self.save(envs)
        records = self.tracker.records
        return write_summary(self.folder, self.config, self.step, self.faults, records, played, self.monitor)

    def _open(self, folder: Path | None, checkpoint: Path | None) -> None:
        """Everything but the envs: first what may be refused, then what is written."""
        config, grid = self.config, self.envs.grid
        backend = backend_of(checkpoint) if checkpoint and config.backend == "auto" else config.backend
        spaces = grid.observation_space, grid.action_space
        self.agent = self.peers.agent(replace(config, backend=backend), spaces)
        self.tracker = self.peers.tracker(config, reward_threshold(self.source))
        self.play = Interaction(self.agent, self.envs, self.tracker)
        before = None if checkpoint is None else self._load(checkpoint)
        self.lock: Any = Nothing()
        self.monitor: Any = Nothing()
        if self.peers.writes:
            self._open_folder(folder, checkpoint, before, spaces[0])
        self.folder = self.peers.agree(self.folder)

    def _open_folder(
        self, folder: Path | None, checkpoint: Path | None, before: Position | None, space: gym.Space
    ) -> None:
        self.folder, self.lock = hold(folder, self.config)
        try:
            self._open_files(checkpoint, before, space)
        except BaseException:
            self.lock.release()
            raise

    def _open_files(self, checkpoint: Path | None, before: Position | None, space: gym.Space) -> None:
        """What is in the folder, looked at now that nobody else writes to it, becomes what it was at the checkpoint."""
        begun = settle(self.folder, self.config, checkpoint, self.step)
        own, self.identity = begun.goes_on, begun.identity
        self.config = config = replace(self.config, resume=begun.origin)
        write_settings(self.folder, config, self.identity)
        tensors = before.tensors if before else {}
        self.evaluations = Evaluations(self.folder, tensors if own else {})
        if own:
            self.evaluations.settle(self.identity)
        state = before.monitor if before and own else NOTHING if begun.starts_over else None
        self.monitor = Monitor(self.folder, config, self.agent, space, self.tracker, self.step, state)
        self.monitor.pictures.load(tensors)

    def _load(self, checkpoint: Path) -> Position:
        """Go on from a checkpoint: the agents, then the envs."""
        position = standing.take_over(checkpoint, self.config, self.agent, self.play, self.envs, self.peers)
        self.step, self.faults = position.step, position.faults
        return position

    def _write(self, path: Path, envs: dict[str, Any] | None) -> None:
        """Write a checkpoint of the envs of all peers, where it is written."""
        everything = standing.of_all(self.agent, self.play, self.envs, self.peers, envs)
        if everything is None:
            return
        tensors, whole = everything
        records = [record.to_json() for record in self.tracker.records]
        position = Position(
            self.step, self.faults, whole.action, whole.envs, self.config, records, whole.episodes, self.monitor.state(),
            tensors, {**self.monitor.pictures.tensors(), **self.evaluations.tensors()},
        )  # fmt: skip
        save_checkpoint(path, *position.to_checkpoint(), run=self.identity)

    def _begin(self) -> None:
        """Begin an episode in every env: with seeds of their own, where it is not a run's first."""
        self.agent.reset(np.ones((self.agent.agents, self.agent.envs), dtype=bool))
        self.tracker.forget()
        seeds = self.config.seeds
        if self.step or self.faults:
            seeds = tuple(env_seeds(seed, self.faults + 1, 2 + self.step)[-1] for seed in seeds)
        self.play.begin(seeds)

    def _begin_after(self, fault: EnvironmentFault) -> None:
        """Make the envs anew and begin an episode in each, where `env_errors` says so; else the fault passes on."""
        if self.config.env_errors == "stop" or self.step == self._last_fault:
            raise fault
        self._last_fault, self.faults = self.step, self.faults + 1
        logger.warning("new episodes begin, because an environment failed: %s", fault)
        self.envs.make_anew(self.envs.learnt())
        self._begin()

    def _evaluate(self) -> dict[str, Any]:
        """Evaluate the greedy policy, and note how it did; returns where the training envs stand. A checkpoint is to follow."""
        self._check()
        c, envs = self.config, self.envs.where()
        more = {"learnt": envs.get("learnt", []), "shown": c.progress}
        played = partial(play, self.agent, self.source, self.kwargs, c.seeds, c.eval_episodes, True, **more)
        returns, lengths = self.envs.lend(played, envs, self.step)
        self.monitor.add_evaluation(self.step, returns, lengths)
        self.evaluations.add(self.step, returns, lengths)
        return envs

    def _check(self) -> None:
        """Raise Diverged, in all processes, if the agents hold numbers that are not finite."""
        here = not_finite({"m": self.agent.m, **self.agent.tensors()})
        wrong = self.peers.agree(next(filter(None, self.peers.gather(here)), ""))
        if wrong:
            last = checkpoints(self.folder)[-1:]
            kept = f"the last finite checkpoint: {last[0]}" if last else "there is no checkpoint yet"
            raise Diverged(f"{wrong} (env step {self.step}; {kept})")

    def _progress(self) -> Bar:
        c, stride = self.config, self.config.envs_per_agent
        end = self.step + -(-max(0, c.total_steps - self.step) // stride) * stride
        return Bar(end, "step", done=self.step, shown=c.progress, stays=True)

    def _show(self, bar: Bar) -> None:
        if bar.shown:
            recent = [value for record in self.tracker.records for value in list(record.recent)[-10:]]
            mean = f"return of last 10 {sum(recent) / len(recent):.1f}, " if recent else ""
            bar.move(self.step, f"{mean}rate {self.monitor.rate_hz():.0f} Hz")
