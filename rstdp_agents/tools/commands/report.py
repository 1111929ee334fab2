"""Compare runs: a page with a table per environment, aggregates over environments, and figures."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import tyro

from rstdp_agents.base import validate
from rstdp_agents.base.escape import markdown, one_line
from rstdp_agents.base.files import write_whole
from rstdp_agents.base.progress import Bar
from rstdp_agents.environments import SerialGrid
from rstdp_agents.tools.commands.arguments import name, parse
from rstdp_agents.training.config import source_of
from rstdp_agents.training.episodes import RECENT_EPISODES, of_episodes
from rstdp_agents.training.evaluation import interval
from rstdp_agents.training.reports import plots
from rstdp_agents.training.reports.scores import Estimate, episodes_to, iqm, probability_of_improvement
from rstdp_agents.training.reports.tables import table, with_interval
from rstdp_agents.training.runs.reading import History, read_runs
from rstdp_agents.training.runs.trust import foreign

CHANCE_STEPS = 5_000
"""Env steps that measure the return of random actions."""
Groups = dict[str, list[History]]
Scores = dict[str, dict[str, np.ndarray]]
"""Normalised final return of every agent, by label and environment."""
AGGREGATES = """\
Final returns of the tables above, 0 for random and 1 for solved; bootstrap intervals over agents, stratified by environment.

![Interquartile means](aggregate.png)

"""
INTRO = """\
# Report

*Final* is the mean return of an agent's last 100 training episodes, or of all its episodes if there were fewer: then the cell
says how many. *Best* is the highest mean of 100, *area* the mean return over all of its training; *solved* counts the
agents whose mean of 100 consecutive training episodes reached the environment's threshold, and *episodes to solve* how long
that took. Brackets hold bootstrap 95 % intervals of the mean over agents.
"""


@dataclass(frozen=True)
class Args:
    """Tables and figures from run folders."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders."""
    by: str = "rule"
    """What to compare: any setting, such as rule or plasticity.lr, or folder; agents with the same value are grouped."""
    out: Path = Path("report")
    """Folder for README.md and its figures."""

    def __post_init__(self) -> None:
        validate.require(bool(self.runs), "give at least one run folder")


def main(argv: list[str]) -> int:
    """Write the page and its pictures."""
    args = parse(Args, "report", argv, __doc__)
    runs = read_runs(args.runs, args.by)
    args.out.mkdir(parents=True, exist_ok=True)
    plots.write_figure(args.out / "learning.png", plots.learning_curves(runs, "steps", RECENT_EPISODES))
    plots.write_figure(args.out / "final.png", plots.intervals(finals(runs), "final return"))
    parts = [INTRO, "![Learning curves](learning.png)\n\n![Final returns](final.png)\n"]
    parts += [section(env, groups, args.by) for env, groups in runs.items()]
    scores = normalised(runs)
    if scores:
        means = {label: iqm(list(tasks.values())) for label, tasks in scores.items()}
        picture = plots.intervals({"interquartile mean": means}, "0: random policy, 1: solved")
        plots.write_figure(args.out / "aggregate.png", picture)
        parts.append(aggregates(scores, means, args.by))
    made = f"{name()} {shlex.join(['report', *argv])}"
    page = args.out / "README.md"
    write_whole(page, "\n".join([*parts, f"Made by <code>{markdown(made)}</code>.\n"]))
    print(f"wrote {page} and its figures")
    return 0


def agents_of(runs: list[History]) -> list[np.ndarray]:
    """Returns of every agent that has finished an episode."""
    return [agent.returns for run in runs for agent in run.agents if len(agent.returns)]


def final(returns: np.ndarray) -> float:
    """Mean of the last 100 episodes, or of all if there are fewer."""
    return float(returns[-RECENT_EPISODES:].mean())


def finals(runs: dict[str, Groups]) -> dict[str, dict[str, Estimate]]:
    """Mean final return and its interval over agents, by environment and label; the label says if there were too few episodes."""
    known = {env: {label: agents_of(members) for label, members in groups.items()} for env, groups in runs.items()}
    return {
        env: {label + of_episodes(*map(len, agents)): estimate(agents) for label, agents in groups.items() if agents}
        for env, groups in known.items()
    }


def estimate(agents: list[np.ndarray]) -> Estimate:
    """Mean of the agents' final returns, and its interval."""
    values = np.array(list(map(final, agents)))
    return float(values.mean()), *interval(values)


def section(env: str, groups: Groups, by: str) -> str:
    """Table of one environment, a line per label."""
    solved = next(iter(groups.values()))[0].threshold
    lines = [[markdown(label), *row(agents_of(runs), solved)] for label, runs in groups.items()]
    header = [by, "agents", "solved", "episodes to solve", "final", "best", "area"]
    note = "" if solved is None else f"Solved at a mean return of {solved:g}.\n\n"
    named = [
        f"* {markdown(f'{run.folder.name}, {line}')}"
        for runs in groups.values()
        for run in runs
        for line in run.warnings
    ]
    wrong = "\nWhat was wrong at the end of training:\n\n" + "\n".join(named) + "\n" if named else ""
    return f"## {markdown(env)}\n\n{note}{table(header, lines)}\n{wrong}"


def row(agents: list[np.ndarray], solved: float | None) -> list[str]:
    """Figures of the agents of one label in one environment."""
    took = [] if solved is None else [n for n in (episodes_to(solved, returns) for returns in agents) if n]
    best = [
        max(np.convolve(r, np.ones(RECENT_EPISODES) / RECENT_EPISODES, "valid"))
        for r in agents
        if len(r) >= RECENT_EPISODES
    ]
    share = "-" if solved is None else f"{len(took)}/{len(agents)}"
    finals, area = list(map(final, agents)), [float(np.mean(returns)) for returns in agents]
    means = [with_interval(finals) + of_episodes(*map(len, agents)), with_interval(best), with_interval(area)]
    return [str(len(agents)), share, with_interval(took, 0), *means]


def normalised(runs: dict[str, Groups]) -> Scores:
    """Final returns between a random policy (0) and solved (1), in the environments that have a threshold and all labels.

    Code of other packages that a run names is not imported for the random policy: such runs are left out.
    """
    labels = {label for groups in runs.values() for label in groups}
    scores: Scores = {}
    for env, groups in runs.items():
        one = next(iter(groups.values()))[0]
        solved = one.threshold
        if solved is None or foreign(one.config) or set(groups) != labels or not all(map(agents_of, groups.values())):
            continue
        low = chance(one)
        for label, members in groups.items():
            finals = np.array([final(returns) for returns in agents_of(members)])
            scores.setdefault(label, {})[env] = (finals - low) / (solved - low)
    return scores


def chance(run: History) -> float:
    """Mean return of random actions, over the episodes that end within some env steps (of the first one, if none does)."""
    grid = SerialGrid(*source_of(run.config), 1, 1)
    grid.action_space.seed(run.config.seed)
    grid.reset((run.config.seed,))
    ended, total, steps = [], 0.0, 0
    with Bar(CHANCE_STEPS, "step", f"random policy on {one_line(run.config.env)}") as bar:
        while steps < CHANCE_STEPS or not ended:
            t = grid.step(np.array(grid.action_space.sample())[None, None])
            total, steps = total + float(t.reward[0, 0]), steps + 1
            if t.any_done:
                ended.append(total)
                total = 0.0
            if bar.due():
                bar.move(min(steps, CHANCE_STEPS))
    grid.close()
    return float(np.mean(ended))


def aggregates(scores: Scores, means: dict[str, Estimate], by: str) -> str:
    """Interquartile means, and the probability that each label beats each other one."""
    envs = list(next(iter(scores.values())))
    text = f"## Over {len(envs)} environment(s): {markdown(', '.join(envs))}\n\n{AGGREGATES}"
    rows = [[markdown(label), bracketed(estimate)] for label, estimate in means.items()]
    text += table([by, "interquartile mean"], rows) + "\n"
    if len(scores) < 2:
        return text
    tasks = {label: list(by_env.values()) for label, by_env in scores.items()}
    pairs = combinations(scores, 2)
    lines = [[markdown(a), markdown(b), bracketed(probability_of_improvement(tasks[a], tasks[b]))] for a, b in pairs]
    return text + "\n" + table(["P(an agent of", "beats an agent of)", "probability of improvement"], lines) + "\n"


def bracketed(estimate: Estimate) -> str:
    """A value with its interval in brackets."""
    return "{:.2f} [{:.2f}, {:.2f}]".format(*estimate)
