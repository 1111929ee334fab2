"""The training loop, its checkpoints, and how it goes on from one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm
from typeguard import TypeCheckError

from rstdp_agents.agent import Agent
from rstdp_agents.config import RunConfig
from rstdp_agents.environments import (
    EnvGrid,
    EnvSource,
    build_grid,
    env_seeds,
    reward_threshold,
    source_of,
    with_range,
)
from rstdp_agents.episodes import EpisodeTracker, TrackerState
from rstdp_agents.errors import CheckpointError, Diverged, EnvironmentFault, UsageError
from rstdp_agents.evaluation import play
from rstdp_agents.monitoring.health import not_finite
from rstdp_agents.monitoring.metrics import NOTHING, Monitor
from rstdp_agents.runs.checkpoint import (
    checkpoint_path,
    checkpoints,
    drop_old,
    load_checkpoint,
    one_line,
    save_checkpoint,
)
from rstdp_agents.runs.evaluations import Evaluations
from rstdp_agents.runs.folder import has_begun, hold, write_settings
from rstdp_agents.runs.resume import Position, is_own
from rstdp_agents.runs.summary import closing_evaluation, write_summary
from rstdp_agents.signals import stop_requests

logger = logging.getLogger(__name__)


class Training:
    """A population in its environments, from the first step or from a checkpoint; a context that closes its files.

    folder: the run's own, made if need be, and held by a lock. checkpoint: where to go on from, or None; if it is one of this
    folder, the folder's files are cut back to where they were then. A run without one that has begun in the folder starts over.
    env: what makes the environments, in place of what ``config.env`` names.
    """

    def __init__(
        self, config: RunConfig, folder: Path, checkpoint: Path | None = None, env: EnvSource | None = None
    ) -> None:
        torch.set_num_threads(config.threads)
        torch.set_flush_denormal(True)  # decayed traces never reach zero, and denormals are slow
        self.folder, self.step, self.faults = folder, 0, 0
        self.source, self.kwargs = source_of(config, env)
        self.action: np.ndarray | None = None
        self.stopped_by, self._last_fault, self._episodes_are_lost = 0, -1, False
        self.envs = self._make_envs(config)
        try:
            self._open(config, checkpoint)
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
        """Train to the end; False if a signal asked to stop (`stopped_by`). Either way there is a checkpoint.

        An EnvironmentFault passes on, after a checkpoint; after other errors, as Diverged where numbers of the agents are no
        longer finite, the last checkpoint is the good one.
        """
        with stop_requests() as stop, self._progress() as bar:
            try:
                self._loop(stop, bar)
            except EnvironmentFault:  # nothing of the faulty step has been learnt, but the envs may have gone on
                self._episodes_are_lost = True
                self.save()
                raise
            except OSError as error:  # a full disk, say
                raise OSError(error.errno, error.strerror, error.filename or str(self.folder)) from error
            self.save()
        self.stopped_by = stop[0] if stop else 0
        return not stop

    def _loop(self, stop: list[int], bar: tqdm) -> None:
        config, stride = self.config, self.config.envs_per_agent
        bar.set_description_str("compiling, if this is the first run" if self.agent.backend == "fused" else "")
        action = self._begin() if self.action is None else self.action
        bar.set_description_str("")
        while self.step < config.total_steps and not self._asked_to_stop(stop):
            try:
                transition = self.envs.step(action)
            except EnvironmentFault as fault:
                action = self._begin_after(fault)
                continue
            self.action = action = self.agent.step(transition)
            self.step += stride
            self.monitor.record(self.step, self.tracker.add(transition, self.step))
            if config.eval_every and self.step % config.eval_every < stride:
                self._evaluate()
            if self.step % config.checkpoint_every < stride:
                self.save()
            if self.step % config.log_every < stride:
                self._check()
                self._show(bar)

    def save(self) -> None:
        """Write a checkpoint of this step, and drop old ones. Raises Diverged where there is nothing good to write."""
        self._check()
        self._save(checkpoint_path(self.folder, self.step))
        drop_old(self.folder, self.config.keep_checkpoints)

    def finish(self) -> dict[str, Any]:
        """Evaluate and write summary.json; returns the summary."""
        played = closing_evaluation(self.agent, self.config, self.source, self.kwargs)
        if played and self.evaluations.last_step != self.step:
            self._note(*played["greedy"])
        records = self.tracker.records
        return write_summary(self.folder, self.config, self.step, self.faults, records, played, self.monitor)

    def _open(self, config: RunConfig, checkpoint: Path | None) -> None:
        """Everything but the envs: first what may be refused, then what is written."""
        spaces = self.envs.observation_space, self.envs.action_space
        if checkpoint is None:  # a run that goes on keeps its code
            config = self._with_range(config, spaces[0])
        self.config = config
        self.agent = self._make_agent(config, spaces)
        self.tracker = self._make_tracker(config, reward_threshold(self.source))
        before = None if checkpoint is None else self._load(checkpoint)
        self._open_folder(checkpoint, before, spaces[0])

    def _with_range(self, config: RunConfig, space: gym.Space) -> RunConfig:
        return with_range(config, space, self.source, self.kwargs)

    def _open_folder(self, checkpoint: Path | None, before: Position | None, space: gym.Space) -> None:
        config = self.config
        own = checkpoint is not None and is_own(self.folder, checkpoint, self.step)
        self.lock = hold(self.folder)
        begun = before.monitor if before and own else NOTHING if has_begun(self.folder) else None
        write_settings(self.folder, config)
        self.monitor = Monitor(self.folder, config, self.agent, space, self.step, begun)
        if before:
            self.monitor.pictures.load(before.tensors)
        self.evaluations = Evaluations(self.folder, self.step if own else None)

    def _load(self, checkpoint: Path) -> Position:
        tensors, data = load_checkpoint(checkpoint)
        try:
            position = self._position(tensors, data)
            position.check_columns(self.config)
            self.tracker.load(position.records, position.episodes)
        except UsageError:
            raise
        except (KeyError, TypeError, ValueError, OverflowError, TypeCheckError) as error:
            raise CheckpointError(f"{checkpoint} does not say where a run stood: {one_line(error)}") from error
        self.agent.load(position.agent, checkpoint)
        self.step, self.faults, self.action = position.step, position.faults, position.action
        reason = position.why_envs_differ(self.config) or self._resume_envs(position)
        if reason:
            logger.warning("new episodes begin, because those that were running cannot be gone on with: %s", reason)
            self.envs.close()
            self.envs, self.action = self._make_envs(self.config), None
        return position

    def _resume_envs(self, position: Position) -> str:
        try:
            return self.envs.resume(position.envs)
        except (
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
            OverflowError,
        ) as error:  # of another version of the environment, say
            return f"{type(error).__name__}: {one_line(error)}"

    def _position(self, tensors: dict[str, Tensor], data: dict[str, Any]) -> Position:
        return Position.from_checkpoint(tensors, data)

    def _save(self, path: Path) -> None:
        envs = {"lost": "an environment failed"} if self._episodes_are_lost else self.envs.snapshot()
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
            self.monitor.pictures.tensors(),
        )  # fmt: skip
        save_checkpoint(path, *position.to_checkpoint())

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

    def _begin_after(self, fault: EnvironmentFault) -> np.ndarray:
        """Make the envs anew and begin an episode in each, where `env_errors` says so; else the fault passes on."""
        if self.config.env_errors == "stop" or self.step == self._last_fault:
            raise fault
        self._last_fault, self.faults = self.step, self.faults + 1
        logger.warning("new episodes begin, because an environment failed: %s", fault)
        self.envs.close()
        self.envs = self._make_envs(self.config)
        return self._begin()

    def _evaluate(self) -> None:
        """Evaluate the greedy policy, and keep the best one's checkpoint."""
        self._check()
        c = self.config
        returns, lengths = play(self.agent, self.source, self.kwargs, c.seeds, c.eval_episodes, greedy=True)
        self.monitor.add_evaluation(self.step, returns, lengths)
        self._note(returns, lengths)

    def _note(self, returns: np.ndarray, lengths: np.ndarray) -> None:
        if self.evaluations.add(self.step, returns, lengths):
            self._save(self.folder / "best" / "best.safetensors")

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
        return build_grid(config.vectorization, self.source, self.kwargs, *shape, keywords=config.info_keywords)

    def _progress(self) -> tqdm:
        c = self.config
        return tqdm(total=c.total_steps, initial=self.step, unit="step", disable=not c.progress, dynamic_ncols=True)

    def _show(self, bar: tqdm) -> None:
        if self.config.progress:
            recent = [list(r.recent)[-10:] for r in self.tracker.records if r.recent]
            mean = sum(map(sum, recent)) / max(1, sum(map(len, recent)))
            bar.set_postfix_str(f"return {mean:.1f}, rate {self.monitor.rate_hz():.0f} Hz", refresh=False)
            bar.update(self.step - bar.n)
