"""Tables, page and picture of the generality benchmark, from the files of its trials."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import gains, generality_picture
from benchmarks.gains import REFERENCE, Result
from benchmarks.trials import PLAYERS, Trial
from rstdp_agents.base.files import write_whole
from rstdp_agents.training.reports.scores import Estimate, iqm, median
from rstdp_agents.training.reports.tables import table

Skipped = Mapping[tuple[str, str], str]
"""Why a task was not played, by its name and the player."""
POOLS = ("choice", "held-out")
INTRO = """\
# One setting on many environments

*Agent* is one setting, {setting}, on every environment: no preset, nothing tuned for a task, and learning by local plasticity.
*Ppo* is Stable-Baselines3's PPO with its defaults, on the same env steps and on flattened observations. The other controls:
*frozen*, the same networks with the same seeds and a learning rate of zero; *linear*, an actor-critic on the same features
without spikes, with one step size; *preset*, settings tuned for that task, where there are some; *random*, random actions.

Returns are means over seeds ({seeds}) of the **training** episodes that ended in the last fifth of the env steps. The *score*
of a seed is (return - random) / (ppo - random), with the means of random and ppo: 0 is what random actions get, 1 what PPO
gets. Where the mean of PPO is not above that of the luckiest seed of random actions (marked *tie*, starred in the picture),
there is no such unit: a seed then scores 1 if it is above the luckiest seed of random actions, else 0. *Above frozen*: the
seeds are above those of the twin by a one-sided Mann-Whitney test, p < {alpha}; *level*: the mean is at least PPO's. The median
is over tasks of means over seeds; IQM is the mean of the middle half of the scores of all tasks and seeds. Brackets are
bootstrap 95 % intervals over seeds, stratified by task; they take the means of random and ppo as they are.

The *choice* pool may be looked at while the one setting is chosen; the *held-out* pool is run once for each setting that is
reported here. `benchmarks/pool.py` lists both. Every trial leaves a JSON file with all returns of every seed. Produced by
`python -m benchmarks.generality {options}` with {versions}.{form}
"""


@dataclass(frozen=True)
class Found:
    """Results in the order of the pool, and what made them."""

    results: list[Result]
    versions: str
    skipped: Skipped

    def of(self, pool: str) -> list[Result]:
        """The results of a pool."""
        return [result for result in self.results if result.task.pool == pool]


def load(trials: Sequence[Trial], folder: Path, skipped: Skipped) -> Found:
    """What is in the files of the trials, as far as they are there."""
    results: dict[str, Result] = {}
    versions: dict[str, set[str]] = {}
    for trial in trials:
        if (file := trial.file(folder)).exists():
            content = json.loads(file.read_text())
            result = results.setdefault(trial.name, Result(trial.name, trial.task, {}))
            result.late[trial.player] = gains.late_returns(content["returns"], content["ends"], trial.task.steps)
            for package, version in content["versions"].items():
                versions.setdefault(package, set()).add(version)
    words = ", ".join(f"{package} {' and '.join(sorted(each))}" for package, each in sorted(versions.items()))
    return Found(list(results.values()), words, skipped)


def task_table(results: Sequence[Result]) -> str:
    """One line for each task: mean returns of all players, and the score of the agent with all of its seeds' range."""
    played = [player for player in PLAYERS if any(player in result.late for result in results)]
    rows = []
    for result in results:
        means = [short(result.late[player].mean()) if player in result.late else "-" for player in played]
        rows.append([result.name, result.task.kind, f"{result.task.steps:,}", *means, *_verdict(result)])
    return table(["", "kind", "env steps", *played, "score, worst to best seed", "above frozen", "level"], rows)


def _verdict(result: Result) -> list[str]:
    scores, late = result.scores("agent"), result.late
    text = "-" if scores is None else f"{scores.mean():.2f}, {scores.min():.2f} to {scores.max():.2f}"
    tie = " (tie)" if result.is_tie else ""
    above = gains.is_above(late["agent"], late["frozen"]) if {"agent", "frozen"} <= late.keys() else None
    level = gains.is_level(late["agent"], late[REFERENCE]) if scores is not None else None
    return [text + tie, *("-" if said is None else "yes" if said else "no" for said in (above, level))]


def short(value: float) -> str:
    """Three digits that matter, all of them before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def aggregate_table(results: Sequence[Result]) -> str:
    """One line for each player that has scores: over how many tasks, median, IQM, above frozen, level; empty if none has."""
    rows = []
    for player in PLAYERS:
        scored = [result for result in results if result.scores(player) is not None]
        if not scored or player in ("random", REFERENCE):
            continue
        scores = [gains.scores(r.late[player], r.late["random"], r.late[REFERENCE]) for r in scored]
        twins = [r for r in scored if "frozen" in r.late and player != "frozen"]
        above = sum(gains.is_above(r.late[player], r.late["frozen"]) for r in twins)
        level = sum(gains.is_level(r.late[player], r.late[REFERENCE]) for r in scored)
        counts = [f"{above}/{len(twins)}" if twins else "-", f"{level}/{len(scored)}"]
        rows.append([player, str(len(scored)), bracketed(median(scores)), bracketed(iqm(scores)), *counts])
    return table(["", "tasks", "median score", "IQM", "above frozen", "level with ppo"], rows) if rows else ""


def sensitivity_line(results: Sequence[Result]) -> str:
    """What tuning for a task adds, in words; empty where nothing was tuned."""
    pairs = [(r.scores("preset"), r.scores("agent")) for r in results]
    both = [(tuned, one) for tuned, one in pairs if tuned is not None and one is not None]
    if not both:
        return ""
    found = bracketed(gains.sensitivity(*zip(*both, strict=True)))
    return f"Sensitivity, the score of the preset minus that of the one setting, median of {len(both)} tasks: {found}."


def bracketed(estimate: Estimate) -> str:
    """A value with its interval."""
    value, low, high = estimate
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def tables(found: Found) -> str:
    """All that a terminal shows, and the page below its introduction."""
    parts = []
    for pool in POOLS:
        if results := found.of(pool):
            kinds = len({result.task.kind for result in results})
            parts.append(f"## The {pool} pool: {len(results)} tasks of {kinds} kinds")
            parts += [text for text in (aggregate_table(results), sensitivity_line(results)) if text]
            parts.append(task_table(results))
    if found.skipped:
        reasons = [[name, player, reason.replace("|", "/")] for (name, player), reason in found.skipped.items()]
        parts += ["## Not played", table(["", "player", "why"], reasons)]
    return "\n\n".join(parts)


def write(page: Path, found: Found, body: str, made: Mapping[str, str]) -> None:
    """The page, with its picture beside it where the agent has scores. body: `tables`. made: words for `INTRO`."""
    text = INTRO.format(**made, versions=found.versions, alpha=gains.ALPHA)
    if panels := [pool for pool in POOLS if any(result.scores("agent") is not None for result in found.of(pool))]:
        picture = page.with_suffix(".png")
        generality_picture.draw({pool: found.of(pool) for pool in panels}).savefig(picture, dpi=100)
        text += f"\n![Scores of every seed on every task]({picture.name})\n\nScores beyond the frame are drawn at its edge.\n"
    write_whole(page, f"{text}\n{body}\n")
