"""A run's metrics in TensorBoard and monitor.csv."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard.summary import hparams
from tqdm import tqdm

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base import escape
from rstdp_agents.base.growing import Extent
from rstdp_agents.base.progress import doing
from rstdp_agents.base.settings import flat
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.episodes import Episode, EpisodeTracker
from rstdp_agents.training.monitoring import dashboard
from rstdp_agents.training.monitoring.causes import causes, does_well, is_due
from rstdp_agents.training.monitoring.events import Events, cut_back_events
from rstdp_agents.training.monitoring.health import SETTLED, Health, expectable, off_target, symptoms
from rstdp_agents.training.monitoring.introduction import Introduction
from rstdp_agents.training.monitoring.measures import measures, population
from rstdp_agents.training.monitoring.monitor_file import MonitorFile
from rstdp_agents.training.monitoring.pictures import Pictures
from rstdp_agents.training.monitoring.range_watch import RangeWatch

LOOK_EVERY = 50
"""Windows between two whose observations are held against the range of the encoder."""


class MonitorState(TypedDict):
    """How far a run has written its files, as JSON."""

    events: dict[str, Extent]
    """Extent of every event file."""
    rows: Extent
    """Extent of monitor.csv."""
    seconds: float
    """Time that the run has taken."""
    episodes: list[Episode]
    """Finished episodes that are not written yet."""
    health: dict[str, int]
    """`Health.seen`."""
    found: NotRequired[dict[str, list[int]]]
    """`Health.found`."""
    outside: NotRequired[list[int]]
    """`RangeWatch.outside`."""
    looked_at: NotRequired[int]
    """`RangeWatch.total`."""
    largest: float
    """Size of the largest value that episodes have given reason to expect, see `health.expectable`."""


NOTHING: MonitorState = {"events": {}, "rows": Extent(), "seconds": 0.0, "episodes": [], "health": {}, "largest": 0.0}
"""`Monitor.state` before a run begins."""


def following(step: int, every: int) -> int:
    """The first multiple of ``every`` after a step."""
    return (step // every + 1) * every


class Monitor:
    """Collects during a run, and writes every `points_every` env steps: a point for each scalar, a line for each episode.

    folder: where to write. tracker: of the run's episodes. before: `state` at a checkpoint of the run in this folder, or
    `NOTHING`; files are truncated to what they were then. None for a new run. step: where the run begins. Scalars are means over
    the population; charts of the first page have a band of its middle 80 %.
    """

    def __init__(
        self, folder: Path, config: RunConfig, agent: Agent, space: gym.Space, tracker: EpisodeTracker, step: int,
        before: MonitorState | None,
    ) -> None:  # fmt: skip
        self.config, self.agent, self.folder, self.tracker = config, agent, folder, tracker
        begun = before or NOTHING
        self._events = cut_back_events(folder, begun["events"], step)
        self.writer = Events(folder, purge_step=None if before is None else step + 1)
        self.file = MonitorFile(folder, config.env, config.info_keywords, tracker.threshold, begun["rows"], step)
        self.pictures = Pictures(config, agent, space)
        layers, critic = [each.name for each in agent.network.layers], "critic.weight" in agent.modulator.tensors()
        held = config.agent.homeostasis.param != "none"
        self._charts = dashboard.charts(layers, critic, held, config.info_keywords)
        self._banded = dashboard.banded(self._charts)
        self._start = time.monotonic() - begun["seconds"]
        if not self._events:
            self._introduce()
        self._episodes = list(begun["episodes"])
        self._last_flush = (time.perf_counter(), step)
        self.health = Health(dict(begun["health"]), dict(begun.get("found", {})))
        outside, total = begun.get("outside", [0] * agent.agents), begun.get("looked_at", 0)
        self._range = RangeWatch(agent.parts.rows, config.agent.encoder, outside, total)
        self._largest: float = begun["largest"]
        self._begins = step == 0
        self._looks_at = following(step, LOOK_EVERY * config.envs_per_agent)
        self._flushes_at = following(step, config.points_every)
        self._introduction: Introduction | None = None
        self._due = 0
        self._missing: set[str] = set()

    def introduce(self, say: Callable[[str], Any]) -> None:
        """Have ``say(line)`` called with what the first env steps bring (`Introduction`), if they are still to come."""
        if self._begins:
            self._introduction = Introduction(self.agent, say)
            self._due = 0

    def record(self, step: int, t: Transition, episodes: list[Episode]) -> None:
        """Record one env step per env, `step` counted per agent, what it brought, and the episodes that it ended."""
        if episodes:
            self._episodes += episodes
        if step >= self._due:
            self._attend(step, t)
            introduces = self._introduction is not None
            self._due = 0 if introduces else min(self._looks_at, self.pictures.due, self._flushes_at)

    def _attend(self, step: int, t: Transition) -> None:
        """Do what is due after this env step."""
        if step >= self._looks_at:
            self._range.add(t.obs)
            self._looks_at = following(step, LOOK_EVERY * self.config.envs_per_agent)
        if self._introduction is not None and self._introduction.see(t):
            self._introduction = None
        if step >= self.pictures.due and self.pictures.look(step):
            with doing("drawing"):
                self.pictures.draw(self.writer, step)
        if step >= self._flushes_at:
            self.flush(step)
            self._flushes_at = following(step, self.config.points_every)

    def flush(self, step: int) -> None:
        """Write what has been collected since the last time."""
        self._write_episodes(step)
        now = time.perf_counter()
        before, step_before = self._last_flush
        if step > step_before:
            self.writer.add_scalar("charts/sps", (step - step_before) * self.agent.agents / (now - before), step)
        self._last_flush = (now, step)
        if self.agent.statistics.windows:
            figures = {**measures(self.agent), "input/outside_frac": self._range.share()}
            for name, values in figures.items():
                self._add(name, values, step)
            self._check_health(figures, step)
        self.agent.statistics.clear()
        self._range.clear()
        self.writer.flush()
        self.file.flush()

    def rate_hz(self) -> float:
        """Running mean rate of the output layer (Hz)."""
        return float(self.agent.layer.homeostasis.rate.mean())

    def state(self) -> MonitorState:
        """State for a checkpoint: the extents of the files, synced to disk, and what is still to be written."""
        self.writer.flush()
        return {
            "events": {**self._events, self.writer.file.path.name: self.writer.file.sync()},
            "rows": self.file.sync(),
            "seconds": time.monotonic() - self._start,
            "episodes": self._episodes,
            "health": dict(self.health.seen),
            "found": dict(self.health.found),
            "outside": self._range.outside.tolist(),
            "looked_at": self._range.total,
            "largest": self._largest,
        }

    def close(self, step: int) -> None:
        """Write the rest and close the files."""
        try:
            self.flush(step)
        finally:  # what does not fit on a full disk is lost, and was reported
            for file in (self.writer.file, self.file):
                with contextlib.suppress(OSError):
                    file.close()

    def add_evaluation(self, step: int, returns: np.ndarray, lengths: np.ndarray) -> None:
        """Write the means of one evaluation, ``(agents, episodes)``."""
        self.writer.add_scalar("eval/episodic_return", returns.mean(), step)
        self.writer.add_scalar("eval/episodic_length", lengths.mean(), step)

    def add_results(self, step: int, results: dict[str, float]) -> None:
        """Write the run's settings with its results for the HParams plug-in."""
        for summary in hparams(dashboard.hyperparameters(self.config), results):
            self.writer.file_writer.add_summary(summary)  # pyright: ignore[reportOptionalMemberAccess]
        for name, value in results.items():
            self.writer.add_scalar(name, value, step)

    def _introduce(self) -> None:
        """Write the settings of a new run, and the layout of its first page of charts."""
        settings = flat(asdict(self.config)).items()
        rows = [f"| {name} | {escape.markdown(str(value))} |" for name, value in settings]
        self.writer.add_text("config", "\n".join(["| setting | value |", "| --- | --- |", *rows]))
        self.writer.add_custom_scalars(dashboard.layout(self._charts))

    def _write_episodes(self, step: int) -> None:
        """Write every episode to monitor.csv, and each agent's mean over the interval to TensorBoard, as a population."""
        episodes, self._episodes = self._episodes, []
        self.file.write(episodes, time.monotonic() - self._start)
        gamma = self.config.agent.modulation.gamma
        self._largest = max([self._largest, *(expectable(e.episode_return, e.length, gamma) for e in episodes)])
        self._add_means("charts/episodic_return", [(e.agent, e.episode_return) for e in episodes], step)
        self._add_means("charts/episodic_length", [(e.agent, e.length) for e in episodes], step)
        for i, name in enumerate(self.config.info_keywords):
            known = [(e.agent, e.info[i]) for e in episodes if not math.isnan(e.info[i])]
            self._add_means(dashboard.INFO + name, known, step)
            if episodes and not known and name not in self._missing:
                self._missing.add(name)
                self._warn(f"warning: no number {name!r} in `info` at the end of an episode (--info-keywords)", step)

    def _add_means(self, tag: str, values: list[tuple[int, float]], step: int) -> None:
        """Write each agent's mean of its values ``(agent, value)``, as a population."""
        own: dict[int, list[float]] = defaultdict(list)
        for agent, value in values:
            own[agent].append(value)
        if own:
            self._add(tag, torch.tensor([np.mean(each) for each in own.values()]), step)

    def _add(self, tag: str, values: Tensor, step: int) -> None:
        """Write the mean of ``values (agents,)``, and the ends of the band if a chart draws it."""
        mean, low, high = population(values)
        self.writer.add_scalar(tag, mean, step)
        if tag in self._banded:
            self.writer.add_scalar(dashboard.LOW + tag, low, step)
            self.writer.add_scalar(dashboard.HIGH + tag, high, step)

    def _check_health(self, figures: dict[str, Tensor], step: int) -> None:
        """Warn of failures inside the agents, and of what keeps them from learning."""
        config, tracker = self.config.agent, self.tracker
        scale = max(abs(config.modulation.value_init), config.modulation.reward_scale * self._largest)
        found = symptoms(figures, scale, torch.tensor([does_well(record) for record in tracker.records]))
        lived = step / self.config.envs_per_agent * self.agent.layer.window_ms
        if lived >= SETTLED * max(config.homeostasis.tau, config.homeostasis.tau_rate):
            found |= off_target(figures)
        if is_due(step, self.config.total_steps):
            found |= causes(figures, tracker, self.agent.lr, config)
        for warning in self.health.look(found):
            self._warn(warning, step)

    def _warn(self, warning: str, step: int) -> None:
        if sys.stderr is not None:
            tqdm.write(warning, file=sys.stderr)
        self.writer.add_text("warnings", escape.markdown(f"env step {step}: {warning}"), step)


def hparam_results(summary: dict[str, Any]) -> dict[str, float]:
    """The final numbers of a run for the HParams plug-in: means over its agents."""
    agents = summary["agents"]
    final = [a["final_mean"] for a in agents if a["final_mean"] is not None]
    results = {"final/training_return": float(np.mean(final)) if final else float("nan")}
    for kind in ("greedy", "stochastic"):
        means = [a[f"eval_{kind}"]["mean"] for a in agents if a[f"eval_{kind}"] is not None]
        if means:
            results[f"final/eval_{kind}"] = float(np.mean(means))
    return results
