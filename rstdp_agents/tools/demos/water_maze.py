"""Spiking animals look for a goal: a maze with a critic (Frémaux and others 2013), a pool without one (Vasilaki and others 2009).

python -m rstdp_agents.tools.demos.water_maze --out maze.png             ten animals in each of five conditions: 6 minutes

In the maze, the TD error of the critic is the third factor (*td*). In the pool, it is the reward itself, on a long eligibility
of pairs of spikes (*hebbian*) or of pairs less those to be expected (*gradient*). *Frozen* animals do not learn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rstdp_agents.tools.demos.command import command, keep
from rstdp_agents.tools.demos.maze import EVERY, STARTS, Maze, animal, rates
from rstdp_agents.tools.demos.maze_trial import trial

SECOND = 1000
FROZEN = 20
"""Trials of animals that do not learn, of which one is like another."""
MAZE = Maze()
POOL = Maze(third="reward", obstacle=False, goal=(4.0, 4.0), critics=0, lr_actor=2e-5, penalty=-0.06)
CONDITIONS = {
    "maze, td": MAZE,
    "maze, frozen": replace(MAZE, third="none"),
    "pool, hebbian": POOL,
    "pool, gradient": replace(POOL, hebbian=0.0, lr_actor=1e-4),
    "pool, frozen": replace(POOL, third="none"),
}
DRAWN = ("maze, td", "pool, hebbian")
"""Whose ways are drawn."""


@dataclass(frozen=True)
class Course:
    """What became of one animal, trial by trial."""

    seed: int
    start: list[int]
    """Places in `STARTS`; all four in every four trials."""
    seconds: list[float]
    """Until it found the goal, or the trial was broken off."""
    early: list[np.ndarray]
    """x, y, value and third factor in each of the first four trials, ``(n, 4)``."""
    late: list[np.ndarray]
    """In the last four."""

    def by_fours(self) -> np.ndarray:
        """Mean seconds of trials from all four starts, ``(trials / 4,)``."""
        return np.array(self.seconds).reshape(-1, len(STARTS)).mean(1)


def run(p: Maze, seed: int, trials: int) -> Course:
    """One animal for so many trials, a multiple of four."""
    if trials % len(STARTS):
        raise ValueError(f"`trials` must be a multiple of {len(STARTS)}; received {trials}")
    state, constants, random = animal(p, seed), rates(p), np.random.default_rng(seed)
    start = [int(i) for _ in range(trials // len(STARTS)) for i in random.permutation(len(STARTS))]
    ways, seconds = [], []
    for number, where in enumerate(start):
        path = np.zeros(((p.limit + p.pause) // EVERY, 4))
        took, _, _ = trial(state, constants, seed, number, *STARTS[where], p.third != "none", path)
        seconds.append(took / SECOND)
        ways.append(path[: took // EVERY].copy())
        del ways[len(STARTS) : -len(STARTS)]
    return Course(seed, start, seconds, ways[: len(STARTS)], ways[-len(STARTS) :])


def measure(seeds: Iterable[int], trials: int) -> dict[str, list[Course]]:
    """All conditions of all seeds."""
    seeds = list(seeds)
    return {
        name: [run(p, seed, min(trials, FROZEN) if p.third == "none" else trials) for seed in seeds]
        for name, p in CONDITIONS.items()
    }


def table(found: dict[str, list[Course]]) -> str:
    """A line for each condition: seconds of the first and the last eight trials, and of the latter from each start."""
    lines = [
        "| | first 8 trials | last 8 trials | goal found in these | west | east | north | south |",
        "|" + " --- |" * 8,
    ]
    for name, courses in found.items():
        start, seconds = (np.array([getattr(c, field)[-8:] for c in courses]) for field in ("start", "seconds"))
        first = np.mean([c.seconds[:8] for c in courses])
        each = " | ".join(f"{seconds[start == i].mean():.1f}" for i in range(len(STARTS)))
        arrived = (seconds < CONDITIONS[name].limit / SECOND).mean()
        lines.append(f"| {name} | {first:.1f} | {seconds.mean():.1f} | {arrived:.0%} | {each} |")
    return "\n".join(lines)


def draw(found: dict[str, list[Course]]) -> Figure:
    """How long every animal took in each condition; below, ways of the first animal, and the values that all have learnt."""
    figure = Figure(figsize=(15, 6), layout="constrained")
    axes = figure.subplots(2, len(found))
    for k, (name, courses) in enumerate(found.items()):
        draw_seconds(axes[0, k], name, courses)
    axes[0, 0].set_ylabel("seconds to the goal")
    for k, name in enumerate(DRAWN):
        for at, when in ((2 * k, "early"), (2 * k + 1, "late")):
            draw_ways(axes[1, at], name, getattr(found[name][0], when))
            axes[1, at].set_title(f"{name}: {'first' if when == 'early' else 'last'} four trials", fontsize=9)
    draw_values(axes[1, -1], found[DRAWN[0]])
    return figure


def draw_seconds(axes: Axes, name: str, courses: list[Course]) -> None:
    """Every animal thin, their mean thick."""
    fours = np.array([c.by_fours() for c in courses])
    at = len(STARTS) * np.arange(1, fours.shape[1] + 1)
    axes.plot(at, fours.T, color="C0", alpha=0.35, linewidth=0.8)
    axes.plot(at, fours.mean(0), color="k", linewidth=1.8)
    axes.set(title=name, xlabel="trial", ylim=(0, 52), xlim=(0, max(at[-1], FROZEN)))


def draw_ways(axes: Axes, name: str, ways: list[np.ndarray]) -> None:
    """Ways from all starts, the walls and the goal."""
    p = CONDITIONS[name]
    draw_walls(axes, p)
    for way in ways:
        axes.plot(way[:, 0], way[:, 1], linewidth=0.7)
        axes.plot(way[0, 0], way[0, 1], "k.", markersize=5)


def draw_walls(axes: Axes, p: Maze) -> None:
    """The enclosure, the obstacle if there is one, and the goal."""
    for from_x, from_y, to_x, to_y in animal(p, 0).walls:
        axes.plot((from_x, to_x), (from_y, to_y), color="k", linewidth=1.5)
    angle = np.linspace(0, 2 * np.pi, 60)
    axes.plot(p.goal[0] + p.near * np.cos(angle), p.goal[1] + p.near * np.sin(angle), color="C3", linewidth=1.5)
    axes.set(aspect="equal", xticks=(), yticks=())


def draw_values(axes: Axes, courses: list[Course]) -> None:
    """Mean value in each square of the enclosure, where any animal passed in its last four trials."""
    passed = np.concatenate([way for course in courses for way in course.late])
    edges = np.arange(-10, 11)
    sums, many = (
        np.histogram2d(passed[:, 0], passed[:, 1], (edges, edges), weights=weights)[0]
        for weights in (passed[:, 2], None)
    )
    values = np.divide(sums, many, out=np.full_like(sums, np.nan), where=many > 0)
    image = axes.pcolormesh(edges, edges, values.T)
    draw_walls(axes, MAZE)
    axes.set_title(f"{DRAWN[0]}: value, last four trials", fontsize=9)
    axes.figure.colorbar(image, ax=axes, shrink=0.8)


def as_json(found: dict[str, list[Course]]) -> dict[str, Any]:
    """How long every trial took, and from where it started."""
    return {
        name: [{"seed": c.seed, "start": c.start, "seconds": c.seconds} for c in courses]
        for name, courses in found.items()
    }


def main(out: Path = Path("maze.png"), seeds: tuple[int, int] = (3150, 3159), trials: int = 60) -> None:
    """Run all animals, print the table and draw how long they took.

    Args:
        out: file of the figure (PNG); its figures lie beside it as JSON.
        seeds: the first and the last.
        trials: of each animal, a multiple of four.
    """
    found = measure(range(seeds[0], seeds[1] + 1), trials)
    print(table(found))
    keep(out, draw(found), as_json(found), dpi=110)


if __name__ == "__main__":
    command(main, __doc__)
