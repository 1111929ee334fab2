"""The training loop, and what surrounds it: resume, checkpoints, evaluation, summary."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

import gymnasium as gym
import torch
from tqdm import tqdm

from rstdp_agents.agent import Agent
from rstdp_agents.checkpoint import load_checkpoint, save_checkpoint
from rstdp_agents.config import RunConfig, override
from rstdp_agents.environments import build_grid, env_seeds, is_unbounded, parse_kwargs, probe_range, reward_threshold
from rstdp_agents.episodes import AgentRecord, EpisodeTracker
from rstdp_agents.evaluation import aggregate, evaluate, summarise
from rstdp_agents.metrics import Monitor, hparam_results


class Training:
    """A population in its environments, from the first step or from a checkpoint; a context that closes its files.

    folder: the run's own, made if need be. checkpoint: where to go on from, or None.
    """

    def __init__(self, config: RunConfig, folder: Path, checkpoint: Path | None = None) -> None:
        torch.set_num_threads(config.threads)
        torch.set_flush_denormal(True)  # decayed traces never reach zero, and denormals are slow
        self.kwargs, self.folder, self.step = parse_kwargs(config.env_kwargs), folder, 0
        self.envs = build_grid(config.vectorization, config.env, self.kwargs, config.agents, config.envs_per_agent)
        spaces = self.envs.observation_space, self.envs.action_space
        self.config = config = with_range(config, spaces[0], self.kwargs)
        self.agent = Agent(
            config.agent, *spaces, seeds=config.seeds, envs=config.envs_per_agent, device=config.device, backend=config.backend,
            threads=config.threads,
        )  # fmt: skip
        self.tracker = EpisodeTracker(config.agents, config.envs_per_agent, reward_threshold(config.env))
        if checkpoint is not None:
            self._load(checkpoint)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(asdict(config), indent=2) + "\n")
        self.monitor = Monitor(folder, config, self.agent, self.envs.observation_space, self.step)

    def __enter__(self) -> Training:
        return self

    def __exit__(self, *_: object) -> None:
        self.monitor.close(self.step)
        self.envs.close()

    def run(self) -> bool:
        """Train to the end; False if interrupted. An EnvironmentFault passes on, after a checkpoint."""
        with _interruptible() as interrupted, self._progress() as bar:
            try:
                self._loop(interrupted, bar)
            finally:  # also after an EnvironmentFault: nothing of the faulty step has been learnt
                self.save()
        return not interrupted

    def _loop(self, interrupted: list[int], bar: tqdm) -> None:
        # episodes start anew after a resume, from seeds of their own
        seeds = tuple(seed if self.step == 0 else env_seeds(seed, 1, 2 + self.step)[0] for seed in self.config.seeds)
        stride = self.config.envs_per_agent
        bar.set_description_str("compiling, if this is the first run" if self.agent.backend == "fused" else "")
        action = self.agent.begin(self.envs.reset(seeds))
        bar.set_description_str("")
        while self.step < self.config.total_steps and not interrupted:
            transition = self.envs.step(action)
            action = self.agent.step(transition)
            self.step += stride
            self.monitor.record(self.step, self.tracker.add(transition, self.step))
            if self.step % self.config.checkpoint_every < stride:
                self.save()
            if self.step % self.config.log_every < stride:
                self._show(bar)

    def save(self) -> None:
        """Write a checkpoint of this step."""
        records = [record.to_json() for record in self.tracker.records]
        data = {"step": self.step, "records": records, "config": asdict(self.config)}
        save_checkpoint(self.folder / "checkpoints" / f"step_{self.step:010d}.safetensors", self.agent.tensors(), data)

    def finish(self) -> dict[str, Any]:
        """Evaluate and write summary.json; returns the summary."""
        c = self.config
        kinds = {"greedy": True, "stochastic": False}
        returns = {
            kind: evaluate(self.agent, c.env, self.kwargs, c.seeds, c.eval_episodes, greedy)
            if c.eval_episodes
            else None
            for kind, greedy in kinds.items()
        }
        agents = []
        for i, (seed, record) in enumerate(zip(c.seeds, self.tracker.records, strict=True)):
            entry: dict[str, Any] = {"seed": seed, "episodes": record.episodes, "steps": self.step}
            for name in ("solved_at_episode", "solved_at_step", "final_mean", "best_mean"):
                entry[name] = getattr(record, name)
            for kind, values in returns.items():
                entry[f"eval_{kind}"] = None if values is None else summarise(values[i])
            agents.append(entry)
        overall = {f"eval_{kind}": aggregate(values) for kind, values in returns.items() if values is not None}
        summary = {"env": c.env, "rule": c.agent.rule, "agents": agents, "aggregate": overall}
        (self.folder / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
        self.monitor.add_results(self.step, hparam_results(summary))
        return summary

    def _load(self, checkpoint: Path) -> None:
        tensors, data = load_checkpoint(checkpoint)
        self.agent.load(tensors, checkpoint)
        self.step = data["step"]
        self.tracker.records = [AgentRecord.from_json(record) for record in data["records"]]
        everywhere = torch.ones(self.config.agents, self.config.envs_per_agent, dtype=torch.bool)
        self.agent.reset(everywhere.numpy())

    def _progress(self) -> tqdm:
        c = self.config
        return tqdm(total=c.total_steps, initial=self.step, unit="step", disable=not c.progress, dynamic_ncols=True)

    def _show(self, bar: tqdm) -> None:
        if self.config.progress:
            recent = [list(r.recent)[-10:] for r in self.tracker.records if r.recent]
            mean = sum(map(sum, recent)) / max(1, sum(map(len, recent)))
            bar.set_postfix_str(f"return {mean:.1f}, rate {self.monitor.rate_hz():.0f} Hz", refresh=False)
            bar.update(self.step - bar.n)


def with_range(config: RunConfig, space: gym.Space, kwargs: dict[str, Any]) -> RunConfig:
    """The configuration with a range for the encoder, where observations have no bounds and the configuration gives none."""
    encoder = config.agent.encoder
    if encoder.low or encoder.high or not is_unbounded(space):
        return config
    low, high = probe_range(config.env, kwargs, config.seed)
    return override(config, {"agent.encoder.low": low, "agent.encoder.high": high})


@contextmanager
def _interruptible() -> Iterator[list[int]]:
    """Yields a list that the first Ctrl-C makes non-empty; a second one interrupts as usual."""
    received: list[int] = []
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, before)
