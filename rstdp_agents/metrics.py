"""Where a run leaves its numbers: TensorBoard and monitor.csv."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard.summary import hparams

from rstdp_agents.agent import Agent
from rstdp_agents.config import RunConfig, flat
from rstdp_agents.episodes import Episode
from rstdp_agents.events import Events, cut_back, file_lengths
from rstdp_agents.layer import Layer

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


NOTHING: MonitorState = {"events": {}, "rows": 0, "seconds": 0.0, "episodes": []}
"""What `Monitor.state` is before a run begins."""


class Monitor:
    """Collects during a run, writes every `log_every` env steps, and draws `images` times in all.

    folder: where to write. before: what `state` gave at a checkpoint of the run in this folder, or `NOTHING`; files are cut
    back to what they were then. None for a new run. step: where the run begins. Scalars are means over the population.
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
        self._episodes = list(begun["episodes"])
        self._raster: list[tuple[np.ndarray, ...]] = []
        self._images_every = max(1, config.total_steps // max(1, config.images))
        self._raster_steps = RASTER_WINDOWS * agent.envs if config.images else 0
        self._last_flush = (time.perf_counter(), step)

    def record(self, step: int, episodes: list[Episode]) -> None:
        """Take note of one env step per env, `step` counted per agent, and of the episodes that it ended."""
        if episodes:
            self._episodes += episodes
        left = -step % self._images_every
        if left < self._raster_steps:
            self._raster.append(tuple(spikes[:, 0, 0].cpu().numpy().copy() for spikes in self.agent.spikes()))
            if left < self.agent.envs:
                self._draw(step)
        if step % self.config.log_every < self.agent.envs:
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
            for name, value in self._interval_scalars().items():
                self.writer.add_scalar(name, value, step)
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
        settings = {
            k: v if isinstance(v, bool | int | float | str) else str(v) for k, v in flat(asdict(self.config)).items()
        }
        for summary in hparams(settings, results):
            self.writer.file_writer.add_summary(summary)  # pyright: ignore[reportOptionalMemberAccess]
        for name, value in results.items():
            self.writer.add_scalar(name, value, step)

    def _write_episodes(self) -> None:
        seconds = time.monotonic() - self._start
        for e in self._episodes:
            self._csv.write(f"{e.episode_return:.6g},{e.length},{seconds:.3f},{e.agent}\n")
        for step, returns, lengths in self._points():
            self.writer.add_scalar("charts/episodic_return", returns, step)
            self.writer.add_scalar("charts/episodic_length", lengths, step)
        self._episodes = []

    def _points(self) -> list[tuple[int, float, float]]:
        """(step, return, length): every episode of a single agent, the interval's mean of a population."""
        if self.agent.agents == 1 or not self._episodes:
            return [(e.step, e.episode_return, e.length) for e in self._episodes]
        _, returns, lengths, steps = zip(*self._episodes, strict=True)
        return [(max(steps), float(np.mean(returns)), float(np.mean(lengths)))]

    def _interval_scalars(self) -> dict[str, float]:
        layer, seen = self.agent.layer, self.agent.statistics
        names = [each.name for each in self.agent.network.layers]
        m, m_square, dw_square = (seen.sums.mean(0) / seen.windows).tolist()
        z_square = sum(float(z.square().mean()) for z in self.agent.eligibility()) / len(layer.pairs.z)
        scalars = {
            "learn/modulator_mean": m,
            "learn/eligibility_rms": z_square**0.5,
            "learn/dw_rms": dw_square**0.5,
            "learn/w_mean": float(layer.weight.mean()),
            "learn/w_saturated_frac": saturated(layer),
        }
        if self.config.agent.modulator in ("td", "td-spiking"):
            scalars["learn/td_error_rms"] = m_square**0.5
        seconds = seen.windows * self.agent.envs * layer.window_ms / 1000.0
        for hidden in self.agent.network.hidden:
            scalars[f"learn/w_mean/{hidden.name}"] = float(hidden.weight.mean())
            scalars[f"learn/w_saturated_frac/{hidden.name}"] = saturated(hidden)
        for name, counts in zip(("input", *names), seen.spikes, strict=True):
            scalars[f"activity/rate_hz/{name}"] = float(counts.mean()) / seconds
            scalars[f"activity/silent_frac/{name}"] = float((counts == 0).float().mean())
        return scalars

    def _draw(self, step: int) -> None:
        from rstdp_agents import figures  # matplotlib takes half a second to import, which every start would pay

        layer = self.agent.layer
        for each in self.agent.network.layers:
            self.writer.add_histogram(f"weights/{each.name}", each.weight, step)
        names = ["input", *(each.name for each in self.agent.network.layers)]
        self.writer.add_figure("activity/raster", figures.raster(self._raster, names, layer.dt), step)
        self._raster = []
        maps = figures.policy_maps(self.agent, self.space, self.config.map_dims)
        if maps is not None:
            self.writer.add_figure("learn/value_and_policy", maps, step)


def saturated(layer: Layer) -> float:
    """Share of a layer's weights that lie on their bounds."""
    low, high = layer.bounds
    return float(((layer.weight <= low) | (layer.weight >= high)).float().mean())


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
