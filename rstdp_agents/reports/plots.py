"""Pictures of runs side by side: learning curves, and scores with their intervals. Drawn without a screen."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rstdp_agents.reports.scores import band, rolling
from rstdp_agents.runs.reading import Axis, Episodes, Run

POINTS = 200
"""Places along a curve at which it is drawn."""
UNITS = {"episodes": "training episode", "steps": "env steps of an agent", "time": "seconds"}


def learning_curves(runs: dict[str, dict[str, list[Run]]], axis: Axis, window: int) -> Figure:
    """A panel per environment: for every label the mean over agents of the rolling return, and its 95 % interval."""
    figure = Figure(figsize=(5.2 * len(runs) + 0.4, 4.0), layout="constrained")
    labels = sorted({label for groups in runs.values() for label in groups})
    for axes, (env, groups) in zip(figure.subplots(1, len(runs), squeeze=False)[0], runs.items(), strict=True):
        for label, members in groups.items():
            agents = [agent for run in members for agent in run.agents if len(agent.returns)]
            if agents:
                _curve(axes, agents, axis, window, f"{label} ({len(agents)})", f"C{labels.index(label) % 10}")
        solved = next(iter(groups.values()))[0].threshold
        if solved is not None:
            axes.axhline(solved, color="0.5", linewidth=1, linestyle=":", label=f"solved: {solved:g}")
        axes.set(title=env, xlabel=UNITS[axis], ylabel=f"mean return of {window} episodes")
        axes.margins(x=0)
        axes.legend(fontsize=8)
    return figure


def curve(agents: list[Episodes], axis: Axis, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Places ``(POINTS,)`` and rolling returns there ``(agents, POINTS)``, from the last agent's start to the first one's end."""
    x = [agent.axis(axis) for agent in agents]
    places = np.linspace(max(each[0] for each in x), min(each[-1] for each in x), POINTS)
    return places, np.stack(
        [np.interp(places, own, rolling(a.returns, window)) for own, a in zip(x, agents, strict=True)]
    )


def _curve(axes: Axes, agents: list[Episodes], axis: Axis, window: int, label: str, colour: str) -> None:
    places, curves = curve(agents, axis, window)
    axes.plot(places, curves.mean(0), color=colour, label=label)
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
        axes.set(title=title, xlabel=label, yticks=range(len(row)), yticklabels=list(row), ylim=(len(row) - 0.5, -0.5))
    return figure
