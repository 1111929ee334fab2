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
from torch import Tensor

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.tensors import not_finite, written_by
from rstdp_agents.base import progress
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.errors import CheckpointError, Diverged, EnvironmentFault, UsageError
from rstdp_agents.base.progress import Bar, doing
from rstdp_agents.base.signals import stop_requests
from rstdp_agents.environments import EnvGrid, EnvSource, Instance, build_grid, env_seeds, reward_threshold
from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.training import compilation
from rstdp_agents.training.config import RunConfig, source_of
from rstdp_agents.training.episodes import EpisodeTracker, TrackerState
from rstdp_agents.training.evaluation import play
from rstdp_agents.training.monitoring.metrics import NOTHING, Monitor
from rstdp_agents.training.ranged import ranged
from rstdp_agents.training.recorder import Recorder
from rstdp_agents.training.runs.checkpoint import (
    backend_of,
    checkpoint_path,
    checkpoints,
    drop_old,
    identity,
    one_line,
    save_checkpoint,
)
from rstdp_agents.training.runs.evaluations import Evaluations
from rstdp_agents.training.runs.folder import (
    check_places,
    check_unused,
    clear,
    forget,
    has_begun,
    hold,
    identity_of,
    new_identity,
    write_settings,
)
from rstdp_agents.training.runs.resume import Position, is_own
from rstdp_agents.training.runs.summary import closing_evaluation, write_summary

logger = logging.getLogger(__name__)
Callback = Callable[["Training"], Any]
"""Called at every point of the log; a run ends there where False is returned, and can be resumed."""


class Training:
    """A population in its environments, from the first step or from a checkpoint; a context that closes its files.

    folder: the run's own, made if need be, and held by a lock; None for a new one in ``runs``. checkpoint: where to go on from,
    or None; if it is one of this folder, the folder's files become what they were then. A run that was killed before its
    first checkpoint starts over; a folder that holds checkpoints of another is refused.
    env: what makes the environments, in place of what ``config.env`` names. Whoever watches a run sets `callback` and `recorder`
    before it begins.
    """

    def __init__(
        self,
        config: RunConfig,
        folder: Path | None,
        checkpoint: Path | None = None,
        env: EnvSource | gym.Env | None = None,
    ) -> None:
        torch.set_num_threads(config.threads)
        flush_denormal()
        self.folder, self.step, self.faults = folder or Path(), 0, 0
        self.source, self.kwargs = source_of(config, env)
        self.action: np.ndarray | None = None
        self.callback: Callback | None = None
        self.recorder: Recorder | None = None
        self.stopped_by, self._last_fault, self._episodes_are_lost = 0, -1, False
        self._lends = isinstance(self.source, Instance)
        self._before_play: tuple[int, dict[str, Any]] = -1, {}
        self.config = config = (
            self._ranged(config) if checkpoint is None else config
        )  # a run that goes on keeps its code
        self.envs = self._make_envs(config)
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
                self._episodes_are_lost = True
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
        learn = self.agent.step if self.recorder is None else partial(self.recorder.step, self.agent)
        while self.step < config.total_steps and not self._asked_to_stop(stop):
            action = self._begin() if self.action is None else self.action
            try:
                transition = self.envs.step(action)
            except EnvironmentFault as fault:
                if not self._is_back_from_play(fault):
                    self._begin_after(fault)
                continue
            self.action = learn(transition)
            self.step += stride
            self.monitor.record(self.step, self.tracker.add(transition, self.step))
            evaluates = config.eval_every and self.step % config.eval_every < stride
            if evaluates or self.step % config.checkpoint_every < stride:
                self.save(self._evaluate() if evaluates else None)
            if self.step % config.log_every < stride:
                self._check()
                if self.callback is not None and self.callback(self) is False:
                    stop.append(0)
            if progress.clock() >= bar.next:  # as `Bar.due`, in every step
                self._show(bar)

    def save(self, envs: dict[str, Any] | None = None) -> None:
        """Write a checkpoint of this step, then what is copied from it, and drop old ones.

        envs: where they stand, if that is known already. Raises Diverged where there is nothing good to write.
        """
        self._check()
        path = checkpoint_path(self.folder, self.step)
        with doing("saving"):
            self._save(path, envs)
            self.evaluations.publish(path, self.step)
            drop_old(self.folder, self.config.keep_checkpoints)

    def finish(self) -> dict[str, Any]:
        """Close the training envs, evaluate in others, and write summary.json; returns the summary."""
        envs = self._where()
        self.envs.close()  # a simulator may be to be had but once
        played = closing_evaluation(self.agent, self.config, self.source, self.kwargs, envs.get("learnt", []))
        if played and self.evaluations.last_step != self.step:
            self._note(*played["greedy"], envs)
        records = self.tracker.records
        return write_summary(self.folder, self.config, self.step, self.faults, records, played, self.monitor)

    def _open(self, folder: Path | None, checkpoint: Path | None) -> None:
        """Everything but the envs: first what may be refused, then what is written."""
        config, spaces = self.config, (self.envs.observation_space, self.envs.action_space)
        backend = backend_of(checkpoint) if checkpoint and config.backend == "auto" else config.backend
        self.agent = self._make_agent(replace(config, backend=backend), spaces)
        self.tracker = self._make_tracker(config, reward_threshold(self.source))
        before = None if checkpoint is None else self._load(checkpoint)
        self._open_folder(folder, checkpoint, before, spaces[0])

    def _ranged(self, config: RunConfig) -> RunConfig:
        return ranged(config, self.source, self.kwargs)

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
        own = checkpoint is not None and is_own(self.folder, checkpoint, self.step)
        if not own and checkpoints(self.folder):
            check_unused(self.folder)
        check_places(self.folder)
        clear(self.folder)
        again = has_begun(self.folder) and not own
        if again or (own and self.step < self.config.total_steps):
            forget(self.folder, everything=again)
        known = (identity(checkpoint) or identity_of(self.folder)) if own and checkpoint else ""
        self.identity = known or new_identity()
        origin = str(checkpoint.resolve()) if checkpoint and not own else ""
        self.config = config = replace(self.config, resume=origin)
        write_settings(self.folder, config, self.identity)
        tensors = before.tensors if before else {}
        self.evaluations = Evaluations(self.folder, tensors if own else {})
        if own:
            self.evaluations.settle(self.identity)
        begun = before.monitor if before and own else NOTHING if again else None
        threshold = self.tracker.threshold
        self.monitor = Monitor(self.folder, config, self.agent, space, threshold, self.step, begun)
        self.monitor.pictures.load(tensors)

    def _load(self, checkpoint: Path) -> Position:
        position = self._position(checkpoint)
        position.check_settings(self.config, checkpoint)
        try:
            self.tracker.load(position.records, position.episodes)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise CheckpointError(f"{checkpoint} does not say where a run stood: {one_line(error)}") from error
        was = written_by(position.agent)
        if was != self.agent.backend:
            raise UsageError(f"{checkpoint} is of --backend {was} and goes on with that; received {self.agent.backend}")
        self.agent.load(position.agent, checkpoint)
        self.step, self.faults, self.action = position.step, position.faults, position.action
        reason = position.why_envs_differ(self.config) or self._resume_envs(position.envs)
        if reason:
            self._make_envs_anew(position.envs, reason)
        return position

    def _resume_envs(self, envs: dict[str, Any]) -> str:
        try:
            return envs.get("lost") or self.envs.resume(envs)
        except (
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
            OverflowError,
        ) as error:  # of another version of the environment, say
            return f"{type(error).__name__}: {one_line(error)}"

    def _make_envs_anew(self, before: dict[str, Any], reason: str) -> None:
        """Have envs of which nothing is left but what wrappers have learnt, and new episodes begin."""
        logger.warning("new episodes begin, because those that were running cannot be gone on with: %s", reason)
        self.envs.close()
        self.envs, self.action = self._make_envs(self.config), None
        if before.get("learnt"):
            self.envs.teach(before["learnt"])

    def _position(self, checkpoint: Path) -> Position:
        return Position.of_file(checkpoint)

    def _where(self) -> dict[str, Any]:
        """Where the envs stand."""
        if self._episodes_are_lost:
            return {"steps": self.envs.steps, "lost": "an environment failed", "learnt": self._learnt()}
        return self.envs.snapshot()

    def _save(self, path: Path, envs: dict[str, Any] | None = None) -> None:
        """envs: where they stand, if that is known already."""
        envs = self._where() if envs is None else envs
        self._write(path, self.action, envs, self.tracker.to_json(), self.agent.tensors())

    def _write(
        self,
        path: Path,
        action: np.ndarray | None,
        envs: dict[str, Any],
        episodes: TrackerState,
        agent: dict[str, Tensor],
    ) -> None:
        """Write a checkpoint of this step; what is given is that of all envs, wherever they are stepped."""
        records = [record.to_json() for record in self.tracker.records]
        position = Position(
            self.step, self.faults, action, envs, self.config, records, episodes, self.monitor.state(), agent,
            {**self.monitor.pictures.tensors(), **self.evaluations.tensors()},
        )  # fmt: skip
        save_checkpoint(path, *position.to_checkpoint(), run=self.identity)

    def _begin(self) -> np.ndarray:
        """Begin an episode in every env: with seeds of their own, where it is not a run's first."""
        everywhere = np.ones((self.agent.agents, self.agent.envs), dtype=bool)
        self.agent.reset(everywhere)
        self.tracker.forget()
        seeds = self.config.seeds
        if self.step or self.faults:
            seeds = tuple(env_seeds(seed, self.faults + 1, 2 + self.step)[-1] for seed in seeds)
        self.action = self.agent.begin(self.envs.reset(seeds))
        return self.action

    def _begin_after(self, fault: EnvironmentFault) -> None:
        """Make the envs anew and begin an episode in each, where `env_errors` says so; else the fault passes on."""
        if self.config.env_errors == "stop" or self.step == self._last_fault:
            raise fault
        self._last_fault, self.faults = self.step, self.faults + 1
        logger.warning("new episodes begin, because an environment failed: %s", fault)
        learnt = self._learnt()
        self.envs.close()
        self.envs = self._make_envs(self.config)
        if learnt:
            self.envs.teach(learnt)
        self._begin()

    def _learnt(self) -> list[Learnt]:
        """What wrappers have learnt, as far as envs that have failed can tell."""
        try:
            return self.envs.learnt()
        except Exception:  # of processes that are gone, say
            return []

    def _evaluate(self) -> dict[str, Any]:
        """Evaluate the greedy policy, and note how it did; returns where the training envs stand. A checkpoint is to follow."""
        self._check()
        envs = self._where()
        returns, lengths = self._play(envs)
        self.monitor.add_evaluation(self.step, returns, lengths)
        self.evaluations.add(self.step, returns, lengths)
        return envs

    def _play(self, envs: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        """Play in other envs than those of the training, which stand at ``envs`` and are closed meanwhile if need be."""
        c = self.config
        more = {"learnt": envs.get("learnt", []), "shown": c.progress}
        played = partial(play, self.agent, self.source, self.kwargs, c.seeds, c.eval_episodes, True, **more)
        if not self._lends:
            try:
                returns, lengths = played()
                self._before_play = self.step, envs
                return returns, lengths
            except (UsageError, EnvironmentFault) as error:
                logger.info("the training environments are closed in evaluations: %s", error)
                self._lends = True
        self.envs.close()
        try:
            return played()
        finally:
            self._take_back(envs)

    def _take_back(self, envs: dict[str, Any]) -> None:
        """Have the training envs again that stood at ``envs``."""
        if not isinstance(self.source, Instance):  # whose owner closes it
            self.envs = self._make_envs(self.config)
        reason = self._resume_envs(envs)
        if reason:
            self._make_envs_anew(envs, reason)

    def _is_back_from_play(self, fault: EnvironmentFault) -> bool:
        """Whether a fault was that of envs whose simulator was shut down when others were closed; they are open again then."""
        step, envs = self._before_play
        if self._lends or step != self.step:
            return False
        logger.info("the training environments are closed in evaluations from now on: %s", fault)
        self._lends = True
        self.envs.close()
        self._take_back(envs)
        return True

    def _note(self, returns: np.ndarray, lengths: np.ndarray, envs: dict[str, Any]) -> None:
        """Keep the closing evaluation."""
        self.evaluations.add(self.step, returns, lengths)
        self.save(envs)

    def _check(self) -> None:
        """Raise Diverged if the agents hold numbers that are not finite."""
        wrong = self._not_finite()
        if wrong:
            last = checkpoints(self.folder)[-1:]
            kept = f"the last finite checkpoint: {last[0]}" if last else "there is no checkpoint yet"
            raise Diverged(f"{wrong} (env step {self.step}; {kept})")

    def _not_finite(self) -> str:
        return not_finite({"m": self.agent.m, **self.agent.tensors()})

    def _asked_to_stop(self, stop: list[int]) -> bool:
        return bool(stop)

    def _make_agent(self, config: RunConfig, spaces: tuple[gym.Space, gym.Space]) -> Agent:
        return Agent(
            config.agent, *spaces, seeds=config.seeds, envs=config.envs_per_agent, device=config.device, backend=config.backend,
            threads=config.threads,
        )  # fmt: skip

    def _make_tracker(self, config: RunConfig, threshold: float | None) -> EpisodeTracker:
        return EpisodeTracker(config.agents, config.envs_per_agent, threshold, len(config.info_keywords))

    def _make_envs(self, config: RunConfig) -> EnvGrid:
        shape = config.agents, config.envs_per_agent
        more = {"keywords": config.info_keywords, "timeout": config.env_timeout}
        return build_grid(config.vectorization, self.source, self.kwargs, *shape, **more)

    def _progress(self) -> Bar:
        c, stride = self.config, self.config.envs_per_agent
        end = self.step + -(-max(0, c.total_steps - self.step) // stride) * stride
        return Bar(end, "step", done=self.step, shown=c.progress, stays=True)

    def _show(self, bar: Bar) -> None:
        if bar.shown:
            recent = [value for record in self.tracker.records for value in list(record.recent)[-10:]]
            mean = f"return of last 10 {sum(recent) / len(recent):.1f}, " if recent else ""
            bar.move(self.step, f"{mean}rate {self.monitor.rate_hz():.0f} Hz")
