"""The eight panels of the one-synapse demonstration. Drawn without a screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

PRE, POST, GREY = "#1f5fa8", "#c4501b", "0.75"


class Series(Protocol):
    """What the figure shows of a rule; each ``(steps + 1,)``."""

    @property
    def x(self) -> Tensor: ...
    @property
    def y(self) -> Tensor: ...
    @property
    def eligibility(self) -> Tensor: ...
    @property
    def weight(self) -> Tensor: ...


def draw(pre: Tensor, post: Tensor, reward: Tensor, courses: Mapping[str, Series], dt: float) -> Figure:
    """Spikes, traces, reward and eligibility on the left; the eligibility trace and the weights on the right.

    pre, post, reward: ``(steps + 1,)``. courses: by rule, with the names `STDP`, `MSTDP`, `MSTDPET` and
    `MSTDPET, lagged`. dt in ms.
    """
    time = np.arange(len(reward)) * dt
    figure = Figure(figsize=(10, 9), layout="constrained")
    panels = figure.subplots(4, 2, sharex=True).T.flatten()
    _spikes(panels[0], time, pre, post)
    panels[1].plot(time, courses["MSTDP"].x, color=PRE, label="x, of the input")
    panels[1].plot(time, courses["MSTDP"].y, color=POST, label="y, of the output")
    panels[1].set(ylabel="trace (1 per spike)", ylim=(-0.05, 2.0), title="traces of the spikes")
    panels[1].legend(loc="upper left", ncols=2, frameon=False)
    panels[2].step(time, reward, where="mid", color="black")
    panels[2].set(ylabel="r", ylim=(-1.4, 1.4), title="reward (grey: negative)", yticks=[-1, 0, 1])
    panels[3].plot(time, courses["MSTDP"].eligibility, color="black")
    panels[3].set(ylabel="$\\zeta$", title="eligibility $\\zeta$: spike pairs of the step")
    panels[4].plot(time, courses["MSTDPET"].eligibility, color="black")
    panels[4].set(ylabel="z (1/ms)", title="eligibility trace z")
    _weight(panels[5], time, "STDP: reward plays no part", courses["STDP"])
    _weight(panels[6], time, "MSTDP: reward times $\\zeta$", courses["MSTDP"])
    _weight(panels[7], time, "MSTDPET: reward times z", courses["MSTDPET"], courses["MSTDPET, lagged"])
    for panel, letter in zip(panels, "abcdefgh", strict=True):
        _finish(panel, letter, time, reward.numpy())
    panels[3].set_xlabel("time (ms)")
    panels[7].set_xlabel("time (ms)")
    return figure


def _spikes(axes: Axes, time: np.ndarray, pre: Tensor, post: Tensor) -> None:
    """Raster of both neurons."""
    for height, spikes, colour in ((1, pre, PRE), (0, post, POST)):
        axes.vlines(time[spikes.numpy() > 0], height - 0.35, height + 0.35, color=colour, linewidth=2)
    axes.set(yticks=[0, 1], yticklabels=["output", "input"], ylim=(-0.6, 1.6), title="spikes")


def _weight(axes: Axes, time: np.ndarray, title: str, now: Series, lagged: Series | None = None) -> None:
    """A weight with its final value; both readings of the discrete equation if they differ."""
    axes.plot(time, now.weight, color="black", label=f"reward modulates this step: {now.weight[-1]:.5f}")
    if lagged is not None:
        label = f"reward modulates the step before: {lagged.weight[-1]:.5f}"
        axes.plot(time, lagged.weight, color=POST, linestyle="--", label=label)
        axes.legend(loc="upper left", frameon=False)
    else:
        axes.annotate(
            f"{now.weight[-1]:.5f}", (time[-1], float(now.weight[-1])), (0, 5), textcoords="offset points", ha="right"
        )
    axes.set(ylabel="weight w", title=title)
    axes.set(ylim=(0, 0.6), yticks=[0, 0.2, 0.4, 0.6])


def _finish(axes: Axes, letter: str, time: np.ndarray, reward: np.ndarray) -> None:
    """The elements that all panels share: letter, limits, and shading where the reward is negative."""
    axes.set_title(f"{letter}   {axes.get_title()}", loc="left", fontsize=10)
    axes.set_title("")
    axes.set_xlim(time[0], time[-1])
    axes.axvspan(time[reward < 0][0] - 0.5, time[-1], color="0.93", zorder=0)
    if letter in "cde":
        axes.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
