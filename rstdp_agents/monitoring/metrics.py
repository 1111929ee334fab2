"""Where a run leaves its numbers: TensorBoard and monitor.csv."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard.summary import hparams
from tqdm import tqdm

from rstdp_agents.agent import Agent
from rstdp_agents.config import RunConfig, flat
from rstdp_agents.episodes import Episode
from rstdp_agents.monitoring import dashboard
from rstdp_agents.monitoring.events import Events, cut_back, file_lengths
from rstdp_agents.monitoring.health import Health
from rstdp_agents.monitoring.measures import measures, population

RASTER_WINDOWS = 30
"""Env steps of agent 0 that the spike raster shows."""
RASTER = "monitor.raster."
"""What the names of tensors of `Monitor.tensors` begin with."""


class MonitorState(TypedDict):
    """How far a run has written its files, as JSON holds it."""

    events: dict[str, int]
    """Bytes of every event file."""
    rows: int
    """Bytes of monitor.csv."""
    seconds: float
    """That the run has taken."""
    episodes: list[Episode]
    """That have ended and are not written yet."""
    health: dict[str, int]
    """`Health.seen`."""
    largest: float
    """Size of the largest return."""


NOTHING: MonitorState = {"events": {}, "rows": 0, "seconds": 0.0, "episodes": [], "health": {}, "largest": 0.0}
"""What `Monitor.state` is before a run begins."""


class Monitor:
    """Collects during a run, writes every `log_every` env steps, and draws `images` times in all.

    folder: where to write. before: what `state` gave at a checkpoint of the run in this folder, or `NOTHING`; files are cut
    back to what they were then. None for a new run. step: where the run begins. Scalars are means
    over the population, beside the band of its middle eight tenths.
    """

    def __init__(
        self, folder: Path, config: RunConfig, agent: Agent, space: gym.Space, step: int, before: MonitorState | None
    ) -> None:
        self.config, self.agent, self.space, self.folder = config, agent, space, folder
        begun = before or NOTHING
        if before is not None:
            cut_back(folder, begun["events"])
        self.writer = Events(folder, purge_step=None if before is None else step + 1)
        self._csv = open(folder / "monitor.csv", "a", buffering=1 << 16)  # noqa: SIM115 (kept open)
        if before is not None:
            self._csv.truncate(min(begun["rows"], self._csv.tell()))
        self._start = time.monotonic() - begun["seconds"]
        if not begun["rows"]:
            self._csv.write("#" + json.dumps({"t_start": time.time(), "env_id": config.env}) + "\nr,l,t,agent\n")
            settings = [f"| {name} | {value} |" for name, value in flat(asdict(config)).items()]
            self.writer.add_text("config", "\n".join(["| setting | value |", "| --- | --- |", *settings]))
            layers, critic = [each.name for each in agent.network.layers], "critic.weight" in agent.modulator.tensors()
            self.writer.add_custom_scalars(dashboard.layout(layers, critic, agent.agents > 1))
        self._episodes = list(begun["episodes"])
        self._raster: list[tuple[np.ndarray, ...]] = []
        self._images_every = max(1, config.total_steps // max(1, config.images))
        self._raster_steps = RASTER_WINDOWS * config.envs_per_agent if config.images else 0
        self._last_flush = (time.perf_counter(), step)
        self._health = Health(dict(begun["health"]))
        self._largest: float = begun["largest"]

    def record(self, step: int, episodes: list[Episode]) -> None:
        """Take note of one env step per env, `step` counted per agent, and of the episodes that it ended."""
        if episodes:
            self._episodes += episodes
        left = -step % self._images_every
        if left < self._raster_steps:
            self._raster.append(tuple(spikes[:, 0, 0].cpu().numpy().copy() for spikes in self.agent.spikes()))
            if left < self.config.envs_per_agent:
                self._draw(step)
        if step % self.config.log_every < self.config.envs_per_agent:
            self.flush(step)

    def flush(self, step: int) -> None:
        """Write what has come together since the last time."""
        self._write_episodes()
        now = time.perf_counter()
        before, step_before = self._last_flush
        if step > step_before:
            self.writer.add_scalar("charts/sps", (step - step_before) * self.agent.agents / (now - before), step)
        self._last_flush = (now, step)
        if self.agent.statistics.windows:
            figures = measures(self.agent)
            for name, values in figures.items():
                self._add(name, values, step)
            self._warn(figures, step)
        self.agent.statistics.clear()
        self.writer.flush()
        self._csv.flush()

    def rate_hz(self) -> float:
        """Running mean rate of the output layer (Hz)."""
        return float(self.agent.layer.homeostasis.rate.mean())

    def state(self) -> MonitorState:
        """What a checkpoint holds: how far the files are written, all of it seen onto the disk, and what waits to be written."""
        self._csv.flush()
        os.fsync(self._csv.fileno())
        self.writer.file.sync()
        return {
            "events": file_lengths(self.folder),
            "rows": self._csv.tell(),
            "seconds": time.monotonic() - self._start,
            "episodes": self._episodes,
            "health": dict(self._health.seen),
            "largest": self._largest,
        }

    def tensors(self) -> dict[str, Tensor]:
        """Spikes that wait to be drawn, by name: ``(windows, ticks, neurons)`` of every layer."""
        layers = [torch.from_numpy(np.stack(layer).astype(np.uint8)) for layer in zip(*self._raster)]
        return {f"{RASTER}{i}": layer for i, layer in enumerate(layers)}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        layers = [tensors[f"{RASTER}{i}"].float().numpy() for i in range(len(tensors))]
        self._raster = list(zip(*layers, strict=True))

    def close(self, step: int) -> None:
        """Write the rest and close the files."""
        try:
            self.flush(step)
        finally:  # what a full disk does not take is lost, and was said
            for file in (self.writer.file, self._csv):
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

    def _write_episodes(self) -> None:
        seconds = time.monotonic() - self._start
        for e in self._episodes:
            self._csv.write(f"{e.episode_return:.6g},{e.length},{seconds:.3f},{e.agent}\n")
        self._largest = max([self._largest, *(abs(e.episode_return) for e in self._episodes)])
        if self.agent.agents == 1:
            for e in self._episodes:
                self.writer.add_scalar("charts/episodic_return", e.episode_return, e.step)
                self.writer.add_scalar("charts/episodic_length", e.length, e.step)
        elif self._episodes:
            self._add_episodes(max(e.step for e in self._episodes))
        self._episodes = []

    def _add_episodes(self, step: int) -> None:
        """Returns and lengths of the interval: each agent's mean, as a population."""
        own = [[e for e in self._episodes if e.agent == agent] for agent in {e.agent for e in self._episodes}]
        returns, lengths = (torch.tensor([np.mean([e[i] for e in each]) for each in own]) for i in (1, 2))
        self._add("charts/episodic_return", returns, step)
        self._add("charts/episodic_length", lengths, step)

    def _add(self, tag: str, values: Tensor, step: int) -> None:
        """Mean of ``values (agents,)``, and the ends of the band of a population."""
        mean, low, high = population(values)
        self.writer.add_scalar(tag, mean, step)
        if self.agent.agents > 1:
            self.writer.add_scalar(dashboard.LOW + tag, low, step)
            self.writer.add_scalar(dashboard.HIGH + tag, high, step)

    def _warn(self, figures: dict[str, Tensor], step: int) -> None:
        """Say what has gone wrong inside the agents."""
        p = self.config.agent.modulation
        scale = max(abs(p.value_init), p.reward_scale * self._largest)
        for warning in self._health.look(figures, scale):
            tqdm.write(warning, file=sys.stderr)
            self.writer.add_text("warnings", f"env step {step}: {warning}", step)

    def _draw(self, step: int) -> None:
        from rstdp_agents.monitoring import (
            figures,
        )  # matplotlib takes half a second to import, which every start would pay

        layer = self.agent.layer
        for each in self.agent.network.layers:
            finite = each.weight[each.weight.isfinite()]  # TensorBoard refuses the others
            if finite.numel():
                self.writer.add_histogram(f"weights/{each.name}", finite, step)
        names = ["input", *(each.name for each in self.agent.network.layers)]
        self.writer.add_figure("activity/raster", figures.raster(self._raster, names, layer.dt), step)
        self._raster = []
        maps = figures.policy_maps(self.agent, self.space, self.config.map_dims)
        if maps is not None:
            self.writer.add_figure("learn/value_and_policy", maps, step)
        fields = figures.receptive_fields(self.agent, self.space, self.config.map_dims)
        if fields is not None:
            self.writer.add_figure("learn/receptive_fields", fields, step)


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
