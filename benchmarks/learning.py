"""Learning curves of many seeds beside their frozen twins, as a table, a picture and the raw returns.

python benchmarks/learning.py --rule rstdp-et --seeds 1000-1009 --episodes 400

A frozen twin is the same network with the same seed and a learning rate of zero; learners and twins run in one population.
Seeds below 1000 are for tuning, the others for reporting.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from matplotlib.figure import Figure
from tqdm import tqdm

from rstdp_agents.agent import Agent
from rstdp_agents.config import RuleName, override
from rstdp_agents.environments import SerialGrid, reward_threshold
from rstdp_agents.episodes import WINDOW, EpisodeTracker
from rstdp_agents.evaluation import interval
from rstdp_agents.presets import preset


@dataclass(frozen=True)
class Args:
    """What to run."""

    task: str = "CartPole-v1"
    """Environment id with a preset."""
    rule: RuleName = "rstdp-et"
    """Learning rule."""
    seeds: str = "1000-1009"
    """First and last seed."""
    episodes: int = 400
    """Every learner plays at least this many episodes, unless it has solved the task before."""
    max_steps: int = 400_000
    """Env steps per agent after which the run ends in any case."""
    set: tuple[str, ...] = ()
    """Changes to the preset as name=value, for instance plasticity.lr=0.5; not for reported results."""
    out: Path = Path("docs/results")
    """Folder for <task>_<rule>.json and .png; nothing is written if empty."""


def learn(args: Args, seeds: tuple[int, ...]) -> list[dict[str, Any]]:
    """Train all seeds and their twins; returns one record per agent, learners first."""
    changes = {name: json.loads(value) for name, value in (change.split("=") for change in args.set)}
    config = override(preset(args.task, args.rule).agent, changes)
    both, learners = seeds + seeds, len(seeds)
    envs = SerialGrid(args.task, {}, len(both), 1)
    scale = torch.tensor([1.0] * learners + [0.0] * learners)
    agent = Agent(config, envs.observation_space, envs.action_space, seeds=both, lr_scale=scale)
    tracker = EpisodeTracker(len(both), 1, reward_threshold(args.task))
    curves: list[list[tuple[float, int]]] = [[] for _ in both]
    action = agent.begin(envs.reset(both))
    for step in tqdm(range(1, args.max_steps + 1), mininterval=5):
        transition = envs.step(action)
        action = agent.step(transition)
        for e in tracker.add(transition, step):
            curves[e.agent].append((e.episode_return, e.step))
        records = tracker.records[:learners]
        if all(r.solved_at_episode or r.episodes >= args.episodes for r in records):
            break
    results = []
    for i, (seed, record, curve) in enumerate(zip(both, tracker.records, curves, strict=True)):
        entry = {"seed": seed, "frozen": i >= learners, "episodes": record.episodes, "final_mean": record.final_mean}
        entry |= {name: getattr(record, name) for name in ("best_mean", "solved_at_episode", "solved_at_step")}
        results.append({**entry, "returns": [r for r, _ in curve], "steps": [s for _, s in curve]})
    return results


def rolling(returns: list[float]) -> np.ndarray:
    """Mean of the last episodes at each episode: of all so far at first, of the last 100 from the hundredth on."""
    total = np.concatenate([[0.0], np.cumsum(returns)])
    last = np.arange(1, len(total))
    first = np.maximum(0, last - WINDOW)
    return (total[last] - total[first]) / (last - first)


def draw(args: Args, results: list[dict[str, Any]]) -> Figure:
    """Every seed's rolling return, learners in colour and frozen twins in grey."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    longest = max(r["episodes"] for r in results if not r["frozen"])
    for record in results:
        curve = rolling(record["returns"][:longest])
        colour, label = ("0.7", "frozen twin (lr 0)") if record["frozen"] else ("C0", args.rule)
        axes.plot(np.arange(len(curve)) + 1, curve, color=colour, label=label, linewidth=1.2, alpha=0.8)
    threshold = reward_threshold(args.task)
    if threshold is not None:
        axes.axhline(threshold, color="C3", linestyle="--", linewidth=1, label=f"solved: {threshold:g}")
    handles = {text: line for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    axes.legend(list(handles.values()), list(handles), loc="center right")
    n = sum(not r["frozen"] for r in results)
    axes.set(xlabel="training episode", ylabel="mean return of the last 100 episodes", title=f"{args.task}, {n} seeds")
    return figure


def table(results: list[dict[str, Any]]) -> str:
    """One line per seed, then the learners' mean with its bootstrap 95 % interval."""
    lines = [
        "| seed | solved at episode | at env step | best 100 | last 100 | frozen twin, last 100 |",
        "|" + " --- |" * 6,
    ]
    learners, twins = ([r for r in results if r["frozen"] is f] for f in (False, True))
    for r, twin in zip(learners, twins, strict=True):
        best = "-" if r["best_mean"] is None else f"{r['best_mean']:.1f}"
        lines.append(
            f"| {r['seed']} | {r['solved_at_episode'] or 'no'} | {r['solved_at_step'] or '-'} | {best} "
            f"| {r['final_mean']:.1f} | {twin['final_mean']:.1f} |"
        )
    solved = np.array([r["solved_at_episode"] for r in learners if r["solved_at_episode"]], dtype=float)
    if len(solved):
        low, high = interval(solved)
        lines.append(
            f"\n{len(solved)}/{len(learners)} solved, in {solved.mean():.0f} [{low:.0f}, {high:.0f}] episodes."
        )
    return "\n".join(lines)


def main() -> None:
    args = tyro.cli(Args, description=__doc__)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    first, last = (int(n) for n in args.seeds.split("-"))
    start = time.time()
    results = learn(args, tuple(range(first, last + 1)))
    print(table(results))
    if args.out == Path(""):
        return
    args.out.mkdir(parents=True, exist_ok=True)
    made = {"command": "python " + " ".join(sys.argv), "version": version("rstdp_agents"), "torch": torch.__version__}
    made |= {"machine": platform.machine(), "seconds": round(time.time() - start)}
    stem = args.out / f"{args.task}_{args.rule}".replace("/", "-")
    stem.with_suffix(".json").write_text(json.dumps({**made, "agents": results}) + "\n")
    stem.with_suffix(".md").write_text(f"`{made['command']}`\n\n{table(results)}\n")
    draw(args, results).savefig(stem.with_suffix(".png"), dpi=110)


if __name__ == "__main__":
    main()
