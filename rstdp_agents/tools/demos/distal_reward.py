"""One synapse in eighty thousand is rewarded, seconds after its pairs of spikes (Izhikevich 2007): which of them learns?

python -m rstdp_agents.tools.demos.distal_reward --out distal.png        ten networks, an hour of their time each: 20 minutes

Each seed is run three times: *rewarded*; *yoked*, rewards come when another network earned them; *short*, eligibility lasts 20 ms
and not a second, so that nothing is left of a pair when its reward comes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from rstdp_agents.tools.demos.command import command, keep
from rstdp_agents.tools.demos.cortex import Cortex, live, network, rates

SECOND = 1000
CONDITIONS = ("rewarded", "yoked", "short")
LEARNT = 0.9
"""Share of the largest weight at which the synapse counts as strengthened."""


@dataclass(frozen=True)
class Course:
    """What became of one network, second by second."""

    weight: list[float]
    """Of the synapse that is watched."""
    others: list[float]
    """Mean of all other excitatory synapses."""
    rank: float
    """Share of these that are weaker at the end."""
    hertz: float
    """Mean rate of all neurons."""
    rewards: list[int]
    """When dopamine came for what the watched neurons did (ms)."""

    def learnt(self, w_max: float) -> float | None:
        """Minutes until the synapse was strengthened; None if it never was."""
        return next((second / 60 for second, w in enumerate(self.weight, 1) if w >= LEARNT * w_max), None)


def run(p: Cortex, seed: int, seconds: int, yoked_to: list[int] | None = None) -> Course:
    """One network for so many seconds; yoked_to: times of the rewards, if another network earns them (ms)."""
    state, constants = network(p, seed), rates(p)
    given = np.array(yoked_to or [], np.int64)
    weight, others, earned, spikes = [], [], [], 0
    excites = state.weight[: p.excitatory]
    for second in range(seconds):
        begin, end = second * SECOND, (second + 1) * SECOND
        due = given[(given >= begin) & (given < end)]
        fired, coming = live(state, constants, seed, begin, end, due, yoked_to is not None)
        spikes += fired
        earned += coming.tolist()
        weight.append(float(excites[0, 0]))
        others.append(float((excites.sum() - excites[0, 0]) / (excites.size - 1)))
    rank = float((excites < excites[0, 0]).sum() / (excites.size - 1))
    return Course(weight, others, rank, spikes / (len(state.v) * seconds), earned)


def measure(p: Cortex, seeds: Iterable[int], seconds: int) -> dict[str, list[Course]]:
    """All conditions of all seeds. A network is yoked to the one before it, the first to the last."""
    seeds = list(seeds)
    rewarded = [run(p, seed, seconds) for seed in seeds]
    yoked = [run(p, seed, seconds, rewarded[i - 1].rewards) for i, seed in enumerate(seeds)]
    short = [run(replace(p, tau_c=20.0), seed, seconds) for seed in seeds]
    return dict(zip(CONDITIONS, (rewarded, yoked, short), strict=True))


def table(found: dict[str, list[Course]], p: Cortex) -> str:
    """A line for each condition."""
    lines = [
        "| | strengthened | after minutes | weight at the end | stronger than | other synapses | rewards | Hz |",
        "|" + " --- |" * 8,
    ]
    for name, courses in found.items():
        took = [minutes for course in courses if (minutes := course.learnt(p.w_max)) is not None]
        mean = [
            f"{np.mean(values):.2f}" for values in ([c.weight[-1] for c in courses], [c.others[-1] for c in courses])
        ]
        rank, rewards, hertz = (
            np.mean(values) for values in zip(*((c.rank, len(c.rewards), c.hertz) for c in courses), strict=True)
        )
        when = f"{np.mean(took):.0f} ({min(took):.0f} to {max(took):.0f})" if took else "-"
        lines.append(
            f"| {name} | {len(took)}/{len(courses)} | {when} | {mean[0]} | {rank:.1%} | {mean[1]} | {rewards:.0f} | {hertz:.2f} |"
        )
    return "\n".join(lines)


def draw(found: dict[str, list[Course]], p: Cortex) -> Figure:
    """The weight of the watched synapse in every network, and the mean of all others, a panel for each condition."""
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    for axes, (name, courses) in zip(figure.subplots(1, len(found), sharey=True), found.items(), strict=True):
        minutes = np.arange(1, len(courses[0].weight) + 1) / 60
        for i, course in enumerate(courses):
            axes.plot(
                minutes, course.weight, color="C0", alpha=0.7, linewidth=0.9, label=None if i else "the watched synapse"
            )
        axes.plot(minutes, np.mean([c.others for c in courses], 0), color="k", label="mean of all others")
        axes.axhline(p.w_max, color="0.6", linestyle=":", linewidth=1)
        axes.set(title=name, xlabel="minutes", xlim=(0, minutes[-1]))
        if name == CONDITIONS[0]:
            axes.set_ylabel("weight (mV)")
            axes.legend(fontsize=8, loc="lower right")
    return figure


def as_json(found: dict[str, list[Course]]) -> dict[str, Any]:
    """Every course, its weights once a minute."""
    return {
        name: [{**vars(c), "weight": c.weight[59::60], "others": c.others[59::60]} for c in courses]
        for name, courses in found.items()
    }


def main(out: Path = Path("distal.png"), seeds: tuple[int, int] = (3000, 3009), seconds: int = 3600) -> None:
    """Run all networks, print the table and draw the weights.

    Args:
        out: file of the figure (PNG); its figures lie beside it as JSON.
        seeds: the first and the last.
        seconds: of the networks' time.
    """
    p = Cortex()
    found = measure(p, range(seeds[0], seeds[1] + 1), seconds)
    print(table(found, p))
    keep(out, draw(found, p), as_json(found))


if __name__ == "__main__":
    command(main, __doc__)
