"""Pictures of runs side by side: learning curves, and scores with their intervals. Drawn without a screen."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rstdp_agents.base import escape
from rstdp_agents.base.files import write_whole
from rstdp_agents.training.episodes import of_episodes
from rstdp_agents.training.reports.scores import band, rolling
from rstdp_agents.training.runs.reading import Axis, Episodes, History

POINTS = 200
"""Points along a curve at which it is drawn."""
UNITS = {"episodes": "training episode", "steps": "env steps of an agent", "time": "seconds"}


class Curves(Figure):
    """A figure that notebooks show, whether pyplot was imported or not."""

    def _repr_png_(self) -> bytes:
        return content(self, "png")


def write_figure(path: Path, figure: Figure) -> None:
    """Write a picture in the format of its file extension, completely or not at all."""
    write_whole(path, content(figure, path.suffix.removeprefix(".") or "png"))


def content(figure: Figure, kind: str) -> bytes:
    """Of a picture's file of some kind, such as png."""
    file = io.BytesIO()
    figure.savefig(file, dpi=110, format=kind)
    return file.getvalue()


def learning_curves(runs: dict[str, dict[str, list[History]]], axis: Axis, window: int) -> Figure:
    """A panel per environment: for every label the mean over agents of the rolling return, and its 95 % interval.

    A curve is dashed where it is the mean of fewer than ``window`` episodes, all that there are so far.
    """
    figure = Curves(figsize=(5.2 * len(runs) + 0.4, 4.0), layout="constrained")
    labels = sorted({label for groups in runs.values() for label in groups})
    for axes, (env, groups) in zip(figure.subplots(1, len(runs), squeeze=False)[0], runs.items(), strict=True):
        for label, members in groups.items():
            agents = [agent for run in members for agent in run.agents if len(agent.returns)]
            if agents:
                _curve(axes, agents, axis, window, label, f"C{labels.index(label) % 10}")
        solved = next(iter(groups.values()))[0].threshold
        if solved is not None:
            axes.axhline(solved, color="0.5", linewidth=1, linestyle=":", label=f"solved: {solved:g}")
        few = " (dashed: of fewer)" if window > 1 else ""
        axes.set(title=escape.figure(env), xlabel=UNITS[axis], ylabel=f"mean return of {window} episodes{few}")
        axes.margins(x=0)
        axes.legend(fontsize=8)
    return figure


def curve(agents: list[Episodes], axis: Axis, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Points ``(POINTS,)`` and rolling returns there ``(agents, POINTS)``, from the last agent's start to the first one's end."""
    x = [agent.axis(axis) for agent in agents]
    places = np.linspace(max(each[0] for each in x), min(each[-1] for each in x), POINTS)
    return places, np.stack(
        [np.interp(places, own, rolling(a.returns, window)) for own, a in zip(x, agents, strict=True)]
    )


def full(agents: list[Episodes], axis: Axis, window: int) -> float:
    """Point from which the rolling return of every agent averages ``window`` episodes; infinity if an agent has fewer."""
    return max(a.axis(axis)[window - 1] if len(a.returns) >= window else np.inf for a in agents)


def _curve(axes: Axes, agents: list[Episodes], axis: Axis, window: int, label: str, colour: str) -> None:
    places, curves = curve(agents, axis, window)
    counts, whole = [len(agent.returns) for agent in agents], places >= full(agents, axis, window)
    mean, label = curves.mean(0), escape.figure(f"{label} ({len(agents)}){of_episodes(*counts, window=window)}")
    axes.plot(places[whole], mean[whole], color=colour, label=label if whole.any() else None)
    part = slice(0, int((~whole).sum()) + 1)  # up to where the other begins
    axes.plot(places[part], mean[part], "--", color=colour, label=None if whole.any() else label)
    if len(agents) > 1:
        axes.fill_between(places, *band(curves), color=colour, alpha=0.2, linewidth=0)


def intervals(rows: dict[str, dict[str, tuple[float, float, float]]], label: str) -> Figure:
    """A panel per title: for every name a point and its interval, ``(value, low, high)``."""
    figure = Figure(figsize=(4.0 * len(rows) + 0.6, 0.4 * max(map(len, rows.values())) + 1.2), layout="constrained")
    names = sorted({name for row in rows.values() for name in row})
    for axes, (title, row) in zip(figure.subplots(1, len(rows), squeeze=False)[0], rows.items(), strict=True):
        for y, (name, (value, low, high)) in enumerate(row.items()):
            axes.plot([low, high], [y, y], color=f"C{names.index(name) % 10}", linewidth=6, alpha=0.4)
            axes.plot([value], [y], "|", color=f"C{names.index(name) % 10}", markersize=14, markeredgewidth=2)
        escaped = list(map(escape.figure, row))
        axes.set(title=escape.figure(title), xlabel=label, yticks=range(len(row)), yticklabels=escaped)
        axes.set_ylim(len(row) - 0.5, -0.5)
    return figure
