"""Frames of an agent at work: the picture of its environment, and the activity of its network in the last env steps."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

HISTORY = 60
"""Number of past env steps that the curves show."""
SIZE = (12.8, 7.2)
DPI = 100
MANY = 6
"""Most groups of output neurons whose curves get a legend."""


class FilmStep(NamedTuple):
    """One env step of one agent in one env."""

    picture: np.ndarray
    """``(height, width, 3)`` uint8."""
    pre: np.ndarray
    """Input spikes ``(ticks, neurons)``."""
    post: np.ndarray
    """Output spikes ``(ticks, neurons)``."""
    rates: np.ndarray
    """Rate of every group of output neurons (Hz)."""
    value: float | None
    """The critic's value; None without a critic."""
    eligibility: float
    """Root mean square over all synapses."""
    reward: float
    modulator: float
    caption: str


class Film:
    """Turns env steps into frames ``(height, width, 3)`` uint8.

    Whatever does not change is drawn once; everything is redrawn only when a curve leaves its axis.
    """

    def __init__(self, first: FilmStep, dt: float) -> None:
        self._past: deque[FilmStep] = deque(maxlen=HISTORY)
        self._tick = 1.0 / len(first.pre)  # in env steps
        self.figure = Figure(figsize=SIZE, dpi=DPI)
        self.canvas = FigureCanvasAgg(self.figure)
        grid = self.figure.add_gridspec(
            5 + (first.value is not None), 2, height_ratios=[2, 1.2, 1, 1, 1, 1][: 5 + (first.value is not None)],
            width_ratios=[1, 1.1], left=0.02, right=0.985, top=0.93, bottom=0.07, hspace=0.28, wspace=0.14,
        )  # fmt: skip
        scene = self.figure.add_subplot(grid[:, 0])
        scene.set_axis_off()
        self._scene = scene.imshow(first.picture, animated=True)
        self._caption = scene.set_title(first.caption, fontsize=11)
        self._caption.set_animated(True)
        panels = [self.figure.add_subplot(grid[i, 1]) for i in range(grid.nrows)]
        self._axes = dict(zip(self._names(first), panels, strict=True))
        self._lines = {name: self._panel(name, axes, first) for name, axes in self._axes.items()}
        panels[-1].set_xlabel(f"env steps before now ({len(first.pre) * dt:g} ms of simulated time each)", fontsize=9)
        self._background: object = None

    def frame(self, step: FilmStep) -> np.ndarray:
        """The next frame."""
        self._past.append(step)
        self._scene.set_data(step.picture)
        self._caption.set_text(step.caption)
        if (
            any([self._update(name) for name in self._axes]) or self._background is None
        ):  # all of them, without a shortcut
            self.canvas.draw()
            self._background = self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self._background)
        for artist in (self._scene, self._caption, *(line for lines in self._lines.values() for line in lines)):
            self.figure.draw_artist(artist)
        return np.asarray(self.canvas.buffer_rgba())[..., :3].copy()

    @staticmethod
    def _names(first: FilmStep) -> list[str]:
        value = [] if first.value is None else ["value"]
        return ["input", "output", "rate (Hz)", *value, "eligibility", "reward"]

    def _panel(self, name: str, axes: Axes, first: FilmStep) -> list[Line2D]:
        """Axes and curves of a panel."""
        axes.set_xlim(-HISTORY, 0)
        axes.set_ylabel(name, fontsize=9)
        axes.tick_params(labelsize=8, labelbottom=name == "reward")
        if name in ("input", "output"):
            neurons = (first.pre if name == "input" else first.post).shape[1]
            axes.set_ylim(-1, neurons)
            return axes.plot([], [], "|", color="black", markersize=3 if name == "input" else 4, animated=True)
        if name == "rate (Hz)":
            lines = [axes.plot([], [], animated=True, label=f"group {g}")[0] for g in range(len(first.rates))]
        elif name == "reward":
            lines = [axes.plot([], [], animated=True, label=label)[0] for label in ("reward", "modulator")]
        else:
            return axes.plot([], [], animated=True)
        if len(lines) <= MANY:
            axes.legend(loc="lower right", bbox_to_anchor=(1, 0.95), fontsize=7, ncols=len(lines), frameon=False)
        return lines

    def _update(self, name: str) -> bool:
        """New data for a panel; whether its axis had to change."""
        lines, now = self._lines[name], len(self._past)
        if name in ("input", "output"):
            spikes = np.concatenate([m.pre if name == "input" else m.post for m in self._past])
            tick, neuron = np.nonzero(spikes)
            lines[0].set_data((tick + 0.5) * self._tick - now, neuron)
            return False
        values = np.array([self._values(name, step) for step in self._past])
        for line, curve in zip(lines, values.T, strict=True):
            line.set_data(np.arange(now) - now + 0.5, curve)
        return widen(self._axes[name], float(values.min()), float(values.max()))

    @staticmethod
    def _values(name: str, m: FilmStep) -> tuple[float, ...]:
        known = {"value": (m.value or 0.0,), "eligibility": (m.eligibility,), "reward": (m.reward, m.modulator)}
        return tuple(m.rates) if name == "rate (Hz)" else known[name]


def widen(axes: Axes, low: float, high: float) -> bool:
    """Extend the vertical axis to ``low`` and ``high`` plus a fifth, if it is shorter; whether it changed."""
    bottom, top = axes.get_ylim() if axes.get_autoscaley_on() is False else (np.inf, -np.inf)
    if bottom <= low and high <= top:
        return False
    low, high = min(bottom, low), max(top, high)
    room = 0.2 * (high - low) or 0.1 * abs(high) or 1e-3
    axes.set_ylim(low - room, high + room)
    return True
