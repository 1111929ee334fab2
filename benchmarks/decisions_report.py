"""Table, pictures and page of `benchmarks.decisions`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.psychometric import Psychometric, fit
from rstdp_agents.training.reports.tables import table, with_interval

DRAWN = {"agent, fast": "C0", "agent, cortical": "C2", "ppo": "C1"}
"""Players of the pictures, and their colours."""
HEADER = [
    "", "correct, last fifth", "of all seeds", "of PPO's", "Hz", "trials of a seed", "responses after (ms)",
    "75 % at (% coherence)", "lapse",
]  # fmt: skip
GUESS = {"ReachingDelayResponse": 2 / 3}
"""What whoever responds in time, without having seen the stimulus, is right in; 0.5 where it is not here. Best reach: the middle,
and the mean of 1 / (1 + distance)^2 over distances from 0 to 0.5."""
NOTES = {
    "PerceptualDecisionMaking": (
        "An observer that adds up all of the stimulus is right in 0.896 of the trials, with a threshold of 2.1 %; one that\n"
        "reads the trace without noise of its own, in 0.892, with 2.4 %.\n",
    )
}
"""What else is to be said of a task."""
RESPONDING = 0.01
"""Smallest share of trials of which a mean time is said."""


def figures(found: dict[str, Any]) -> str:
    """The table of a task."""
    rows = [_row(name, who, found["players"]) for name, who in found["players"].items()]
    skipped = [[name, f"skipped: {reason}", *[""] * (len(HEADER) - 2)] for name, reason in found["skipped"].items()]
    return table(HEADER, rows + skipped)


def share_of_ppo(who: dict[str, Any], players: dict[str, Any]) -> float | None:
    """Mean of what was correct, divided by that of PPO on the same observations; None without PPO."""
    ppo = players.get("ppo" if who["traced"] else "ppo, no trace")
    return float(np.mean(who["correct"]) / np.mean(ppo["correct"])) if ppo else None


def _row(name: str, who: dict[str, Any], players: dict[str, Any]) -> list[str]:
    share, times, curve = share_of_ppo(who, players), _reactions(who), psychometric(who)
    several = len(times) > 1 and sum(times.values()) > RESPONDING * sum(who["late_trials"])
    late = sum(time * n for time, n in times.items()) / sum(times.values()) if several else None
    largest = max((abs(float(c)) for c in who["chosen"][0]), default=0.0)
    met = None if curve is None else f"{curve.threshold:.1f}" if curve.threshold <= largest else f"> {largest:g}"
    return [
        name, with_interval(who["correct"], 3), f"{min(who['correct']):.2f} to {max(who['correct']):.2f}", _text(share, ".0%"),
        _text(np.mean(who["hz"]) if "hz" in who else None, ".0f"), f"{np.mean(who['trials']):.0f}", _text(late, ".0f"),
        met or "-", _text(curve.lapse if curve and curve.threshold <= largest else None, ".2f"),
    ]  # fmt: skip


def _text(value: float | None, form: str) -> str:
    return "-" if value is None else f"{value:{form}}"


def _reactions(who: dict[str, Any]) -> dict[int, int]:
    """Responses of all seeds, by time (ms)."""
    times = sorted({int(time) for each in who["reactions"] for time in each})
    return {time: sum(each.get(str(time), 0) for each in who["reactions"]) for time in times}


def counted(chosen: list[dict[str, list[int]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signed coherences, responses at each, and how many of these were right, of all seeds given."""
    coherences = sorted({c for each in chosen for c in each}, key=float)
    sums = [np.sum([each.get(c, (0, 0)) for each in chosen], axis=0) for c in coherences]
    n, right = np.array(sums, dtype=float).reshape(-1, 2).T
    return np.array([float(c) for c in coherences]), n, right


def psychometric(who: dict[str, Any]) -> Psychometric | None:
    """The curve through the choices of all seeds; None for a task without coherences."""
    coherences, n, right = counted(who["chosen"])
    return fit(coherences, n, right) if len(coherences) else None


def draw(found: dict[str, Any]) -> Figure:
    """Learning curves on the left; on the right the psychometric curve, or when responses come."""
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    shown = {name: found["players"][name] for name in DRAWN if name in found["players"]}
    for name, who in shown.items():
        values = np.array(who["curve"], dtype=float).T
        steps = (np.arange(len(values)) + 1) * who["steps"] / len(values)
        left.plot(steps, values, color=DRAWN[name], alpha=0.25, linewidth=0.7)
        left.plot(steps, np.nanmean(values, 1), color=DRAWN[name], linewidth=2, label=name)
    chance = np.mean(found["players"]["random"]["correct"])
    left.axhline(chance, color="k", linestyle="--", linewidth=1, label="random actions")
    left.axhline(GUESS.get(found["task"], 0.5), color="k", linestyle=":", linewidth=1, label="best guess")
    left.set(xlabel="env steps (100 ms each)", ylabel="correct", ylim=(0, 1.03))
    left.legend(fontsize=8)
    if next(iter(shown.values()))["chosen"][0]:
        _draw_psychometric(right, shown)
    else:
        _draw_reactions(right, shown)
    figure.suptitle(f"{found['task']}, seeds {found['seeds']} (ppo: the first three)")
    return figure


def _draw_psychometric(axes: Axes, shown: dict[str, Any]) -> None:
    for name, who in shown.items():
        for each in who["chosen"]:
            coherences, n, right = counted([each])
            axes.plot(coherences, right / n, color=DRAWN[name], alpha=0.25, linewidth=0.7)
        coherences, n, right = counted(who["chosen"])
        curve, fine = fit(coherences, n, right), np.linspace(coherences[0], coherences[-1], 201)
        axes.plot(coherences, right / n, "o", color=DRAWN[name], markersize=4)
        axes.plot(fine, curve.right(fine), color=DRAWN[name], linewidth=2, label=f"{name}: logistic fit")
    axes.axhline(0.5, color="0.7", linewidth=0.8)
    axes.axvline(0.0, color="0.7", linewidth=0.8)
    axes.set(
        xlabel="signed coherence (%)", ylabel="P(choose right)", ylim=(-0.03, 1.03), title="last fifth of training"
    )
    axes.legend(fontsize=8)


def _draw_reactions(axes: Axes, shown: dict[str, Any]) -> None:
    for name, who in shown.items():
        times, total = _reactions(who), sum(who["late_trials"])
        share = [n / total for n in times.values()]
        axes.plot(list(times), share, "o-", color=DRAWN[name], linewidth=2, label=f"{name}: {sum(share):.0%} respond")
    axes.set(
        xlabel="response after the start of the decision period (ms)", ylabel="share of trials", ylim=(0, None),
        title="last fifth of training",
    )  # fmt: skip
    axes.legend(fontsize=8)


PAGE = """\
# Decisions: tasks of NeuroGym

Perceptual decision making, context-dependent decisions, delayed match to sample, go/no-go, and a reach in time, as
[NeuroGym](https://neurogym.github.io) has them: trials of one second to four, one after the other. Agents of the one setting
(R-STDP-ET) learn in both regimes for {steps:,} env steps, {count} seeds ({seeds}); PPO is that of Stable-Baselines3 with its
defaults, on the same env steps and the first three of the seeds. Brackets give the bootstrap 95 % interval of the mean over
seeds. JSON files with all seeds are in [{folder}]({folder}).

    {command}

**Time.** Durations are NeuroGym's own, in ms, rounded down to env steps of 100 ms (`dt:100`): a stimulus of 2 s, a delay of 1 s,
900 ms to respond. An env step of the cortical regime is 100 ms too, 50 ticks of 2 ms, so that task and neurons have the same
clock; in the fast regime an env step is 10 ms of the neurons. An episode is truncated after 10 s ({limit} env steps), as in the
[generality benchmark](generality.md).

**Memory.** In all five tasks the stimulus is gone when the response is asked for: an observation says at most that it is time.
Whoever acts on the present observation is at chance (*no trace*, a third of the env steps), PPO's network included. That
membranes go on from step to step in the cortical regime does not help: they forget within 20 ms. So agents and PPO see every
number twice, as it is and as its mean over the last second, weighted by exp(-age / 1000 ms) (`benchmarks.variants:Traces`). That
time constant was chosen on seeds 100 to 103, out of one of 1000 ms, and one of 500 with one of 2000, and serves all tasks.

**What counts.** *Correct*: share of the trials in the last fifth of training that ended with the right action, while learning
and exploration go on; for the reach, how close it came, as NeuroGym scores it: 1 / (1 + distance)^2, 0 without one. NeuroGym
2.3.1 counts a no-go that was rightly withheld as wrong (`benchmarks/choices.py`), so actions are compared with the right ones
here. *Of PPO's*: divided by what PPO reaches on the same observations, which says little where that is no more than the *best
guess* of whoever responds in time but has not seen the stimulus. *frozen*: the same networks with a learning rate of zero;
*random*: random actions. *Responses after*: mean time from the start of the decision period, where it is longer than one env
step. *75 %*: the coherence at which a logistic curve, fitted to the choices of all seeds with a bias and a share of lapses,
reaches 75 % of choices to the side shown. In the pictures, thin lines are single seeds.

"""


def write(folder: Path, results: list[dict[str, Any]], words: dict[str, str]) -> None:
    """The page, with a picture of each task in the folder. words: command, and limit of an episode."""
    first = results[0]
    count = len(first["players"]["agent, fast"]["seeds"])
    made = {
        "seeds": first["seeds"].replace("-", " to "),
        "steps": first["steps"],
        "count": count,
        "folder": folder.name,
    }
    parts = [PAGE.format(**made, **words) + summary(results) + "\n"]
    for found in results:
        draw(found).savefig(folder / f"{found['task']}.png", dpi=100)
        picture = f"![Learning and decisions on {found['task']}]({folder.name}/{found['task']}.png)"
        parts += [f"## {found['task']}\n", *NOTES.get(found["task"], ()), figures(found) + "\n", picture + "\n"]
    folder.with_suffix(".md").write_text("\n".join(parts))


def summary(results: list[dict[str, Any]]) -> str:
    """What each regime reaches, and what share of PPO's that is; a line for each task."""
    header = ["correct, last fifth", "random", "best guess", "ppo", "fast", "of PPO's", "cortical", "of PPO's"]
    return table(header, [_line(found) for found in results])


def _line(found: dict[str, Any]) -> list[str]:
    players = found["players"]
    random, ppo = (
        _text(np.mean(players[name]["correct"]) if name in players else None, ".2f") for name in ("random", "ppo")
    )
    both = [players["agent, fast"], players["agent, cortical"]]
    reached = [[f"{np.mean(who['correct']):.2f}", _text(share_of_ppo(who, players), ".0%")] for who in both]
    return [found["task"], random, f"{GUESS.get(found['task'], 0.5):.2f}", ppo, *reached[0], *reached[1]]
