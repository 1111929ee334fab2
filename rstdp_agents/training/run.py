"""A run as programs see it: what it was, what came of it, and its agents."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from matplotlib.figure import Figure

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import BackendName
from rstdp_agents.agent.tensors import written_by
from rstdp_agents.base import validate
from rstdp_agents.base.devices import check_device
from rstdp_agents.base.errors import UsageError
from rstdp_agents.environments import EnvSource, make_env
from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.training.config import RunConfig, by_option, source_of
from rstdp_agents.training.episodes import RECENT_EPISODES
from rstdp_agents.training.evaluation import Evaluation, play
from rstdp_agents.training.loop import Callback, Training
from rstdp_agents.training.recorder import Recorder
from rstdp_agents.training.reports import plots
from rstdp_agents.training.runs.folder import has_begun
from rstdp_agents.training.runs.reading import Axis, Checkpoint, History, read_checkpoint, read_run
from rstdp_agents.training.runs.resume import folder_of
from rstdp_agents.training.runs.trust import Trust

Source = EnvSource | gym.Env
"""What makes the environments of a run; or an environment, for a single agent."""


class Run:
    """A run, at one of its checkpoints: its folder, settings, episodes, results and agents, read when they are asked for.

    `train` returns one, `load` reads one. checkpoint: where its agents are taken from. folder: of the run. env: what makes the
    environments, in place of what the settings name. agent: that of the checkpoint, where it is there already. backend: of the
    agent; if None, compiled code goes on where it can with what compiled code has learnt. device: the run's own if None.
    """

    def __init__(
        self, checkpoint: Checkpoint, folder: Path, env: Source | None = None, agent: Agent | None = None,
        backend: BackendName | None = None, device: str | None = None,
    ) -> None:  # fmt: skip
        self.config: RunConfig = checkpoint.config
        self.checkpoint = checkpoint.path
        """File that the agents are taken from."""
        self.folder = folder
        self.step: int = checkpoint.data["step"]
        """Env steps that each agent has made."""
        self.records: list[dict[str, Any]] = checkpoint.data["records"]
        """What each agent has achieved so far, see `episodes.RecordState`."""
        self._env, self._device = env, device
        self._backend: BackendName | None = backend
        self._learnt: list[Learnt] = checkpoint.data["envs"].get("learnt", [])
        self._tensors = checkpoint.tensors
        if agent is not None:
            self.agent, self._tensors = agent, {}

    def __repr__(self) -> str:
        c, summary = self.config, self.summary
        of = "" if self.step >= c.total_steps else f" of {c.total_steps:,}"
        greedy = summary["aggregate"].get("eval_greedy") if summary else None
        score = f", greedy {greedy['mean']:.1f} [{greedy['low']:.1f}, {greedy['high']:.1f}]" if greedy else ""
        return (
            f"Run({c.env}, {c.agent.rule}, {c.agents} agent(s), {self.step:,}{of} env steps{score}, in {self.folder})"
        )

    @cached_property
    def agent(self) -> Agent:
        """The population, as the checkpoint holds it."""
        c, tensors = self.config, self._tensors
        by_itself: BackendName = "auto" if written_by(tensors) == "fused" else "torch"
        env = make_env(self.source, self.kwargs)
        spaces = env.observation_space, env.action_space
        env.close()
        agent = Agent(
            c.agent, *spaces, seeds=c.seeds, envs=c.envs_per_agent, device=self._device or c.device,
            backend=self._backend or by_itself, threads=c.threads,
        )  # fmt: skip
        own = agent.tensors()
        agent.load({name: tensor for name, tensor in tensors.items() if name in own}, self.checkpoint)
        self._tensors = {}
        return agent

    @property
    def settings(self) -> dict[str, Any]:
        """All settings by the names of the command line, ``plasticity.lr``."""
        return by_option(self.config)

    @property
    def summary(self) -> dict[str, Any] | None:
        """What summary.json holds: of every agent when it solved the task, and how it did in evaluation; None before the end."""
        path = self.folder / "summary.json"
        return json.loads(path.read_text()) if path.is_file() else None

    @property
    def history(self) -> History:
        """Settings and training episodes, agent by agent. Raises UsageError where the folder has none."""
        return read_run(self.folder)

    @property
    def episodes(self) -> dict[str, np.ndarray]:
        """Training episodes, agent after agent, as a table by columns: ``pandas.DataFrame(run.episodes)``.

        agent, episode (from 1 on), step (env steps at its end, counted over the agent's envs), return, length, seconds.
        """
        history = self.history
        columns = [
            {
                "agent": np.full(len(own.returns), agent), "episode": own.axis("episodes"), "step": own.axis("steps"),
                "return": own.returns, "length": own.lengths, "seconds": own.seconds,
            }
            for agent, own in enumerate(history.agents)
        ]  # fmt: skip
        whole = ("agent", "episode", "step", "length")
        joined = {name: np.concatenate([own[name] for own in columns]) for name in columns[0]}
        return {name: values.astype(np.int64) if name in whole else values for name, values in joined.items()}

    @property
    def source(self) -> EnvSource:
        """What makes the environment."""
        return source_of(self.config, self._env)[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        """Arguments of the environment."""
        return source_of(self.config)[1]

    def learnt(self, agent: int | None = None) -> list[Learnt]:
        """What the wrappers of every env had learnt, agent after agent, or those of one; empty where there are none."""
        own = len(self._learnt) // self.config.agents
        return self._learnt if agent is None else self._learnt[agent * own : (agent + 1) * own]

    def evaluate(self, episodes: int = 20, greedy: bool = True, seed: int | None = None) -> Evaluation:
        """Episodes of every agent in environments of their own, without learning; printed as mean and 95 % interval.

        greedy: take the most active action, in place of one drawn as in training. seed: of the first agent's episodes; those of
        the run's closing evaluation if None.
        """
        validate.positive("episodes", episodes)
        first = self.config.seed if seed is None else seed
        seeds = tuple(range(first, first + self.config.agents))
        shown = self.config.progress
        played = play(self.agent, self.source, self.kwargs, seeds, episodes, greedy, learnt=self._learnt, shown=shown)
        return Evaluation(*played, greedy)

    def plot(self, axis: Axis = "steps", window: int = RECENT_EPISODES) -> Figure:
        """Learning curves: mean over agents of the mean return of the last ``window`` episodes, with its 95 % interval."""
        history = self.history
        validate.require(any(len(own.returns) for own in history.agents), f"no episode has ended yet in {self.folder}")
        return plots.learning_curves({self.config.env: {self.config.agent.rule: [history]}}, axis, window)

    def resume(
        self, total_steps: int | None = None, callback: Callback | None = None, recorder: Recorder | None = None
    ) -> Run:
        """Go on from here in the same folder, up to ``total_steps`` of each agent, or to the run's end if None.

        callback, recorder: as in `train`. Raises UsageError where there is nothing to do, or a later checkpoint.
        """
        end = self.config.total_steps if total_steps is None else total_steps
        if not has_begun(self.folder):
            raise UsageError(f"{self.checkpoint} is in no run folder")
        if end <= self.step:
            raise UsageError(f"`total_steps` must be above the {self.step} env steps that the run has; received {end}")
        device = self._device or self.config.device
        config = replace(self.config, total_steps=end, run_dir=str(self.folder), device=device)
        return carried_out(Training(config, self.folder, self.checkpoint, self._env), self._env, callback, recorder)

    def rendered(self, mode: str) -> dict[str, Any]:
        """Arguments of the environment that make it render in a mode. Raises UsageError where it cannot."""
        env = make_env(self.source, self.kwargs)
        offered = env.metadata.get("render_modes", [])
        env.close()
        if mode not in offered:
            modes = ", ".join(offered) or "no mode"
            raise UsageError(f"{self.config.env} cannot render as {mode}; it offers {modes}")
        return {**self.kwargs, "render_mode": mode}

    def check_agent(self, index: int) -> None:
        """Raise UsageError where the population has no agent ``index``."""
        if not 0 <= index < self.config.agents:
            raise UsageError(f"`--agent` must be 0 to {self.config.agents - 1}; received {index}")

    def single(self, index: int) -> Agent:
        """Agent ``index`` by itself, see `Agent.single`, frozen. Raises UsageError where there is no such agent."""
        self.check_agent(index)
        return self.agent.single(index, frozen=True)


def load_run(
    path: Path, backend: BackendName | None = None, device: str | None = None, trust: Trust | None = None
) -> Run:
    """The run at a run folder's last checkpoint, or at a checkpoint file; arguments as of `Run`.

    trust: which code that the file names may be imported. Raises CheckpointError or UsageError naming what cannot be read, or
    which device is not there.
    """
    checkpoint = read_checkpoint(path)
    (trust or Trust()).check(checkpoint.config, checkpoint.path)
    check_device(device or checkpoint.config.device, None if device else checkpoint.path)
    folder = path if path.is_dir() else folder_of(path) or path.parent
    return Run(checkpoint, folder, backend=backend, device=device)


def carried_out(training: Training, env: Source | None, callback: Callback | None, recorder: Recorder | None) -> Run:
    """Train to the end and evaluate, or up to where a callback or a signal stops it."""
    with training:
        training.callback, training.recorder = callback, recorder
        if training.run():
            training.finish()
    return Run(read_checkpoint(training.folder), training.folder, env, training.agent)
