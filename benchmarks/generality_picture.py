"""The picture of the generality benchmark: the score of every seed on every task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.gains import Result

LEAST, MOST = -0.5, 2.0
"""Scores beyond are drawn on the edge."""
MEANS = {
    "frozen": ("|", "0.45", "frozen twin"),
    "linear": ("x", "C1", "linear, no spikes"),
    "preset": ("D", "C2", "preset"),
}
"""Marker, colour and label of players that are drawn as their mean."""


def draw(pools: Mapping[str, Sequence[Result]]) -> Figure:
    """A panel for each pool, the task with the best score of the agent on top."""
    scored = {pool: [r for r in results if r.scores("agent") is not None] for pool, results in pools.items()}
    tallest = max(len(results) for results in scored.values())
    figure = Figure(figsize=(5.6 * len(scored), 1.6 + 0.19 * tallest), layout="constrained")
    panels = figure.subplots(1, len(scored), sharex=True, squeeze=False)[0]
    for axes, (pool, results) in zip(panels, scored.items(), strict=True):
        _panel(axes, sorted(results, key=_mean))
        axes.set(
            title=f"{pool} pool",
            xlabel="score: 0 random actions, 1 PPO",
            ylim=(len(results) - tallest - 0.7, len(results) - 0.3),
        )
    handles = {label: line for axes in panels for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=4, fontsize=8)
    return figure


def _mean(result: Result) -> float:
    scores = result.scores("agent")
    assert scores is not None
    return float(scores.mean())


def _panel(axes: Axes, results: Sequence[Result]) -> None:
    for level in (0.0, 1.0):
        axes.axvline(level, color="0.8", linewidth=1, zorder=0)
    for row, result in enumerate(results):
        scores = result.scores("agent")
        assert scores is not None
        axes.plot(
            _within(scores),
            [row] * len(scores),
            ".",
            color="C0",
            alpha=0.5,
            markersize=6,
            label=_once("ours, every seed", row),
        )
        axes.plot(_within(scores.mean()), row, "o", color="C0", markersize=4, label=_once("ours, mean", row))
        for player, (marker, colour, label) in MEANS.items():
            if (others := result.scores(player)) is not None:
                place = _within(others.mean())
                axes.plot(place, row, marker, color=colour, markersize=5, fillstyle="none", label=label)
    axes.set_yticks(range(len(results)), [f"{r.name}{' *' if r.is_tie else ''}" for r in results], fontsize=7)
    axes.set_xlim(LEAST - 0.1, MOST + 0.1)


def _within(scores: np.ndarray | float) -> np.ndarray:
    return np.clip(scores, LEAST, MOST)


def _once(label: str, row: int) -> str | None:
    return None if row else label
