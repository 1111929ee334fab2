"""One neuron of a thousand is rewarded for each of its spikes, 200 ms later (Legenstein and others 2008): does its rate rise?

python -m rstdp_agents.tools.demos.biofeedback --out biofeedback.png   ten networks, 20 minutes of their time each: 10 minutes

Each seed is run five times: *rewarded* for the spikes of a neuron A; *yoked*, rewards come when another network earned them;
*short*, eligibility is highest after 20 ms and not 400, so that nothing is left of a pair when its reward comes, and 20 times as
large; *any*, A is whatever neuron comes first, however much it fires; *switched*, A is to fire more and B less, then the reverse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rstdp_agents.tools.demos.command import command, keep
from rstdp_agents.tools.demos.noisy_circuit import Circuit, circuit, constants, live

MINUTE = 60_000
SETTLE = 5_000
"""ms before anything is measured: a network at rest begins with a burst."""
HERTZ = 4.0
"""Rate that neurons A and B are chosen by."""
SHORT = 20.0
"""Time constant of an eligibility that is too short (ms)."""
ROSE = 1.5
"""Factor on its rate by which a neuron counts as risen."""
LAST = 2
"""Minutes that a rate at the end is a mean of."""
CONDITIONS = ("rewarded", "yoked", "short", "any", "switched")


class Phase(NamedTuple):
    """What a spike is rewarded with for a while."""

    a: float
    b: float


RISE, NOTHING, A_NOT_B, B_NOT_A = Phase(1.0, 0.0), Phase(0.0, 0.0), Phase(1.0, -1.0), Phase(-1.0, 1.0)


@dataclass(frozen=True)
class Course:
    """What became of one network, minute by minute; the first is before it learns. Rates in Hz, weights in nS."""

    minutes: int
    """Of a phase."""
    a: list[float]
    """Rate of neuron A."""
    b: list[float]
    """Rate of neuron B."""
    others: list[float]
    """Mean rate of all other neurons."""
    to_a: list[float]
    """Mean weight of the synapses that excite A."""
    to_all: list[float]
    """Mean weight of all synapses between excitatory neurons."""
    rank: float
    """Share of all other excitatory neurons whose rates rose less than that of A in the first phase."""

    def stages(self, values: list[float]) -> list[float]:
        """A value before, and at the end of each phase: the mean of its last minutes."""
        ends = range(self.minutes + 1, len(values) + 1, self.minutes)
        return [values[0], *(float(np.mean(values[end - LAST : end])) for end in ends)]

    @property
    def rose(self) -> bool:
        """Whether A fires much more at the end of the first phase than before."""
        before, after, *_ = self.stages(self.a)
        return after >= ROSE * before


def chosen(rates: np.ndarray, p: Circuit) -> list[int]:
    """The two excitatory neurons with little noise whose rates ``(N,)`` are nearest to `HERTZ`; of equal ones the first."""
    return np.argsort(np.abs(rates[: p.excitatory // 2] - HERTZ), kind="stable")[:2].tolist()


def run(
    p: Circuit,
    seed: int,
    minutes: int,
    phases: Sequence[Phase] = (RISE,),
    given: np.ndarray | None = None,
    choose: bool = True,
) -> tuple[Course, np.ndarray]:
    """One network for so many minutes of each phase, and the rewards that it earned in each ms.

    given: rewards of each ms whatever it does. choose: take A and B by their rates, not the first two.
    """
    state, learning, n = circuit(p, seed), constants(p), p.excitatory + p.inhibitory
    still, pays = constants(replace(p, lr=0.0)), np.zeros(n)
    live(state, still, seed, 0, pays, np.zeros(SETTLE))
    counts = [live(state, still, seed, SETTLE, pays, np.zeros(MINUTE))[0]]
    watched = chosen(counts[0] / 60.0, p) if choose else [0, 1]
    to_a = state.incoming[state.arrives[watched[0]] : state.arrives[watched[0] + 1]]
    plastic = state.incoming[: state.arrives[p.excitatory]]
    weights = [(p.w_start, p.w_start)]
    given = np.zeros(len(phases) * minutes * MINUTE) if given is None else given
    earned = np.zeros_like(given)
    for minute in range(len(phases) * minutes):
        pays[watched] = phases[minute // minutes]
        now = slice(minute * MINUTE, (minute + 1) * MINUTE)
        fired, earned[now] = live(state, learning, seed, SETTLE + (minute + 1) * MINUTE, pays, given[now])
        counts.append(fired)
        weights.append((float(state.weight[to_a].mean()), float(state.weight[plastic].mean())))
    return course(np.array(counts) / 60.0, watched, weights, minutes, p), earned


def course(
    rates: np.ndarray, watched: list[int], weights: list[tuple[float, float]], minutes: int, p: Circuit
) -> Course:
    """A course from the rates of all neurons before and in every minute ``(1 + all minutes, N)``."""
    a, b = (rates[:, i].tolist() for i in watched)
    rose = rates[minutes + 1 - LAST : minutes + 1].mean(0) - rates[0]
    rank = (rose[: p.excitatory] < rose[watched[0]]).sum() / (p.excitatory - 1)
    to_a, to_all = (list(w) for w in zip(*weights, strict=True))
    return Course(minutes, a, b, np.delete(rates, watched, 1).mean(1).tolist(), to_a, to_all, float(rank))


def measure(p: Circuit, seeds: Iterable[int], minutes: int) -> dict[str, list[Course]]:
    """All conditions of all seeds. A network is yoked to the one before it, the first to the last."""
    seeds = list(seeds)
    rewarded = [run(p, seed, minutes) for seed in seeds]
    yoked = [run(p, seed, minutes, (NOTHING,), rewarded[i - 1][1])[0] for i, seed in enumerate(seeds)]
    soon = replace(p, tau_c=SHORT, lr=p.lr * p.tau_c / SHORT)  # with the same area under the eligibility of a pair
    short = [run(soon, seed, minutes)[0] for seed in seeds]
    whichever = [run(p, seed, minutes, choose=False)[0] for seed in seeds]
    switched = [run(p, seed, minutes, (A_NOT_B, B_NOT_A))[0] for seed in seeds]
    return dict(zip(CONDITIONS, ([c for c, _ in rewarded], yoked, short, whichever, switched), strict=True))


def table(found: dict[str, list[Course]]) -> str:
    """A line for each condition: means over all networks before, and at the end of each phase."""
    lines = [
        "| | A rose | A (Hz) | B (Hz) | all others (Hz) | A rose more than | weight to A | all weights |",
        "|" + " --- |" * 8,
    ]
    for name, courses in found.items():
        a, b, others, to_a, to_all = (
            ", ".join(f"{value:.1f}" for value in np.mean([c.stages(getattr(c, kind)) for c in courses], 0))
            for kind in ("a", "b", "others", "to_a", "to_all")
        )
        rose, rank = sum(c.rose for c in courses), np.mean([c.rank for c in courses])
        lines.append(f"| {name} | {rose}/{len(courses)} | {a} | {b} | {others} | {rank:.1%} | {to_a} | {to_all} |")
    return "\n".join(lines)


def draw(found: dict[str, list[Course]]) -> Figure:
    """Rates of A and B in every network and of all others, a panel for each condition; and the weights of the first."""
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    first, *_, last = found
    rows: list[Any] = [[*found][:-1], ["weights", "weights", last, last]]
    panels = figure.subplot_mosaic(rows)
    top = 1.3 * max(max(*c.a, *c.b) for courses in found.values() for c in courses)
    for name, courses in found.items():
        curves(panels[name], [c.a for c in courses], "C0", "neuron A")
        curves(panels[name], [c.b for c in courses], "C1", "neuron B")
        curves(panels[name], [c.others for c in courses], "k", "mean of all others")
        panels[name].set(title=name, ylabel="rate (Hz)", ylim=(0, top))
    panels[last].axvline(found[last][0].minutes, color="0.6", linestyle=":", linewidth=1)
    curves(panels["weights"], [c.to_a for c in found[first]], "C0", "of synapses that excite A")
    curves(panels["weights"], [c.to_all for c in found[first]], "k", "of all that can learn")
    panels["weights"].set(title=f"{first}: mean weights", ylabel="weight (nS)")
    panels["weights"].set_ylim(top=1.1 * panels["weights"].get_ylim()[1])
    for axes in panels.values():
        axes.set(xlabel="minutes", xlim=(0, None))
    for name in (first, "weights"):
        panels[name].legend(fontsize=8, loc="upper left")
    return figure


def curves(axes: Axes, values: list[list[float]], color: str, label: str) -> None:
    """A thin line for every network, and a thick one for their mean."""
    for each in values:
        axes.plot(each, color=color, alpha=0.35, linewidth=0.7)
    axes.plot(np.mean(values, 0), color=color, linewidth=2, label=label)


def as_json(found: dict[str, list[Course]]) -> dict[str, Any]:
    """Every course."""
    return {
        name: [{k: np.round(v, 4).tolist() for k, v in vars(course).items()} for course in courses]
        for name, courses in found.items()
    }


def main(
    out: Path = Path("biofeedback.png"), seeds: tuple[int, int] = (3000, 3009), minutes: int = 20, size: int = 1
) -> None:
    """Run all networks, print the table and draw the rates.

    Args:
        out: file of the figure (PNG); its figures lie beside it as JSON.
        seeds: the first and the last.
        minutes: of the networks' time, in each phase.
        size: thousands of neurons, each with as many synapses whatever the size.
    """
    p = Circuit(excitatory=800 * size, inhibitory=200 * size, density=0.08 / size)
    found = measure(p, range(seeds[0], seeds[1] + 1), minutes)
    print(table(found))
    keep(out, draw(found), as_json(found))


if __name__ == "__main__":
    command(main, __doc__)
