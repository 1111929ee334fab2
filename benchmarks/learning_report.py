"""The table and the pictures of the learning benchmark, from the files of its cells.

python -m benchmarks.learning_report docs/results/learning --docs docs/results/README.md
python -m benchmarks.learning_report docs/results/cortical --docs docs/results/cortical.md
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.arguments import errors_in_a_line
from benchmarks.tasks import RULES, TASKS, Task
from rstdp_agents.base import validate
from rstdp_agents.training.episodes import RECENT_EPISODES
from rstdp_agents.training.reports.scores import episodes_to, iqm, rolling
from rstdp_agents.training.reports.tables import table, with_interval

Cell = dict[str, Any]
CONTROLS = ("frozen", "random_sign")
COLOURS = {"rstdp-et": "C0", "rstdp": "C1", "reward-switch": "C2", "linear": "0.35", "random": "0.75"}
FOLDERS = {"fast": Path("docs/results/learning"), "cortical": Path("docs/results/cortical")}
"""Of the cells, by the regime of their agents."""
PAGES = {"fast": Path("docs/results/README.md"), "cortical": Path("docs/results/cortical.md")}
TITLES = {"fast": "Learning results", "cortical": "Learning results in the cortical regime"}
INTRO = """\
# {title}

*Solved* is the episode in which the mean return of 100 consecutive **training** episodes first reaches the bound, over seeds
that no setting has been changed after ({seeds}). Brackets give the bootstrap 95 % interval of the mean over seeds. Every
rule has one setting for all tasks, but for what `rstdp_agents/training/presets/found.py` changes; learning is local, and no
reward is shaped.
*Final* is the mean of the last 100 episodes of a run of fixed length, *best* the highest mean of 100, *area* the mean return over
all of training. *Greedy* and *stochastic* are evaluations without learning in separate environments. Controls: *frozen*,
the same network with the same seed and a learning rate of zero; *random sign*, the same learner whose updates get the sign of a
coin, for 50,000 env steps at most; *random*, a random policy;
*linear*, an actor-critic on the same features without spikes, with one step size (`benchmarks/linear.py`).
*Target* is the goal this project set itself, for all seeds. The results of others in the pictures are published ones.

Each line was produced by `python -m benchmarks.learning --task TASK --rule RULE`; the JSON files in [{folder}]({folder})
hold every return of every seed. Tasks and rules that have no line here have not been run on reporting seeds yet. Produced
with {versions}. How the one setting does on more environments is on [a page of its own](generality.md).
"""


def solved(cell: Cell, bound: float) -> str:
    """How many seeds reached the bound, in how many episodes, and the slowest."""
    reached = [episodes_to(bound, r["returns"]) for r in cell["learner"]]
    took = [n for n in reached if n is not None]
    share = f"{len(took)}/{len(reached)}"
    return f"{share} in {with_interval(took, 0)}, slowest {max(took)}" if took else share


def mean(values: list[float | None], bound: float) -> str:
    """Mean of the values that there are, to two decimals where the task is solved at a return of 1 or less."""
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.{1 if abs(bound) > 1 else 2}f}" if known else "-"


def last(records: list[dict[str, Any]], bound: float) -> str:
    """Mean over seeds of the mean of the last 100 episodes."""
    return mean([r["final_mean"] for r in records], bound)


def summary_row(cell: Cell) -> list[str]:
    """One line of the table of a task."""
    task, learners = TASKS[cell["task"]], cell["learner"]
    target = task.target.get(cell["rule"])
    steps = [float(r["solved_at_step"]) for r in learners if r["solved_at_step"]]
    area: list[float | None] = [float(np.mean(r["returns"])) for r in learners]
    kinds = [
        [r[f"eval_{kind}"] for r in learners] if "eval_greedy" in learners[0] else []
        for kind in ("greedy", "stochastic")
    ]
    columns = [
        cell["rule"], solved(cell, task.solved), "-" if target is None else f"<= {target}",
        f"{np.mean(steps):,.0f}" if steps else "-",
        last(learners, task.solved), mean([r["best_mean"] for r in learners], task.solved), mean(area, task.solved),
        *(mean(values, task.solved) for values in kinds),
        *(last(cell[control], task.solved) if control in cell else "-" for control in CONTROLS),
    ]  # fmt: skip
    return columns


HEADER = [
    "", "solved, in episodes", "target", "env steps", "final", "best", "area", "greedy", "stochastic", "frozen", "random sign"
]  # fmt: skip


def task_section(name: str, cells: dict[str, Cell], picture: str | None) -> str:
    """Heading, table and picture of one task."""
    task = TASKS[name]
    text = f"## {name}\n\nSolved at {task.solved:g}{f' ({task.note})' if task.note else ''}.\n\n"
    text += table(HEADER, [summary_row(cell) for cell in cells.values()]) + "\n"
    if task.strict and "rstdp-et" in cells:
        bound, episodes = task.strict
        text += f"\nTo a mean of {bound:g}: {solved(cells['rstdp-et'], bound)} (target <= {episodes}).\n"
    return text + (f"\n![Learning curves]({picture})\n" if picture else "")


def cell_table(cell: Cell) -> str:
    """Every seed of one cell, then the learners together."""
    lines, task = [], TASKS[cell["task"]]
    for i, r in enumerate(cell["learner"]):
        controls = [last(cell[c][i : i + 1], task.solved) if c in cell else "-" for c in CONTROLS]
        best, ended = mean([r["best_mean"]], task.solved), last([r], task.solved)
        at = [str(r["solved_at_episode"] or "no"), str(r["solved_at_step"] or "-")]
        lines.append([str(r["seed"]), *at, str(r["episodes"]), best, ended, *controls])
    header = ["seed", "solved at episode", "at env step", "episodes", "best 100", "last 100", "frozen", "random sign"]
    return table(header, lines) + f"\n\nReached {task.solved:g}: {solved(cell, task.solved)}."


def normalised(cells: dict[str, Cell], rule: str) -> np.ndarray | None:
    """Final means of a rule between a random policy (0) and solved (1), per seed."""
    if rule not in cells or "random" not in cells:
        return None
    bound, chance = TASKS[cells[rule]["task"]].solved, np.mean([r["final_mean"] for r in cells["random"]["learner"]])
    final = np.array([np.nan if r["final_mean"] is None else r["final_mean"] for r in cells[rule]["learner"]])
    return (final - chance) / (bound - chance)


def aggregate_table(tasks: dict[str, dict[str, Cell]]) -> str:
    """Interquartile mean over tasks and seeds of the normalised final return, with its interval over seeds."""
    everywhere = {name: cells for name, cells in tasks.items() if all(rule in cells for rule in RULES)}
    lines = []
    for rule in (*RULES, "linear"):
        scores = _scores(tasks, rule)
        if scores:
            common = _iqm_text(_scores(everywhere, rule)) if rule in RULES else "-"
            lines.append([rule, str(len(scores)), _iqm_text(scores), common])
    title = "IQM of the final return, 0 random, 1 solved"
    return table(["", "tasks", title, f"on the {len(everywhere)} tasks of all three rules"], lines)


def _scores(tasks: dict[str, dict[str, Cell]], rule: str) -> list[np.ndarray]:
    return [s for cells in tasks.values() if (s := normalised(cells, rule)) is not None]


def _iqm_text(scores: list[np.ndarray]) -> str:
    value, low, high = iqm(scores)
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def versions(tasks: dict[str, dict[str, Cell]]) -> str:
    """The versions of this package and of torch, and the machines, that made the cells."""
    made = {
        f"rstdp_agents {c['version']}, torch {c['torch']}, {c['machine']}" for cs in tasks.values() for c in cs.values()
    }
    return "; ".join(sorted(made))


def seeds(tasks: dict[str, dict[str, Cell]]) -> str:
    """The ranges of seeds that the cells are of."""
    ranges = {(c["learner"][0]["seed"], c["learner"][-1]["seed"]) for cells in tasks.values() for c in cells.values()}
    return ", ".join(f"{first} to {last}" for first, last in sorted(ranges))


def draw(name: str, cells: dict[str, Cell]) -> Figure:
    """A panel per spiking rule: every seed's rolling return, its controls dashed, what others reach and take as lines."""
    rules = [rule for rule in RULES if rule in cells]
    figure = Figure(layout="constrained")
    panels = figure.subplots(1, len(rules), sharey=True, squeeze=False)[0]
    for axes, rule in zip(panels, rules, strict=True):
        _panel(axes, TASKS[name], rule, cells)
    late = np.concatenate([_late(r["returns"]) for rule in rules for r in cells[rule]["learner"]])
    room = 4 * float(np.ptp(late))
    if panels[0].get_ylim()[0] < late.min() - 5 * room:  # controls and first steps far below would flatten the curves
        panels[0].set_ylim(late.min() - room, late.max() + room / 8)
    handles = {label: line for axes in panels for line, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.set_size_inches(max(4.2 * len(rules), 5.5), 3.3 + 0.17 * math.ceil(len(handles) / len(rules)))
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=len(rules), fontsize=8)
    panels[0].set_ylabel("mean return of the last 100 episodes")
    figure.suptitle(f"{name}, {len(cells[rules[0]]['learner'])} seeds")
    return figure


def _late(returns: list[float]) -> np.ndarray:
    """Rolling returns after the first tenth of the training, and after the first 100 episodes."""
    return rolling(returns)[max(RECENT_EPISODES - 1, len(returns) // 10) :]


def _panel(axes: Axes, task: Task, rule: str, cells: dict[str, Cell]) -> None:
    cell = cells[rule]
    longest = max(r["episodes"] for r in cell["learner"])
    groups = [("frozen", cell["frozen"], "0.75"), ("random sign", cell["random_sign"], "0.55")]
    groups += [("linear, no spikes", cells["linear"]["learner"], "k")] if "linear" in cells else []
    for label, records, colour in [*groups, (rule, cell["learner"], COLOURS[rule])]:
        own = label == rule
        curves = [rolling(r["returns"][:longest]) for r in records]
        if not own:  # controls as their mean, so that the seeds stay visible
            shortest = min(len(curve) for curve in curves)
            mean = np.mean([curve[:shortest] for curve in curves], 0)
            curves = [np.append(mean, [mean[-1]] * (longest - shortest)) if label == "frozen" else mean]
        for i, curve in enumerate(curves):
            axes.plot(
                np.arange(len(curve)) + 1, curve, color=colour, alpha=0.8, linewidth=1.0 if own else 1.4,
                linestyle="-" if own else "--", label=None if i or own else label, zorder=2 if own else 3,
            )  # fmt: skip
    axes.axhline(task.solved, color="C3", linewidth=1, label=f"solved: {task.solved:g}")
    for label, episodes in task.others.items():  # beyond the axis only the legend tells
        axes.axvline(episodes, color="C4", linestyle=":", linewidth=1.2, label=f"{label}: {episodes} episodes")
    for i, (label, level) in enumerate(task.levels.items()):
        axes.axhline(level, color=f"C{5 + i}", linestyle="-.", linewidth=1, label=f"{label}: {level:g}")
    axes.set(xlabel="training episode", title=rule, xlim=(0, longest))


def cell_file(folder: Path, name: str, rule: str) -> Path:
    """Where the cell of a task and rule is kept."""
    return folder / f"{file_name(name)}_{rule}.json"


def file_name(name: str) -> str:
    """A task's id as part of a file name: dashes separate module and namespace (``rstdp/Cue-v0``)."""
    return name.replace("/", "-").replace(":", "-")


def load(folder: Path) -> dict[str, dict[str, Cell]]:
    """Cells by task and rule, in the order of the table."""
    out: dict[str, dict[str, Cell]] = {}
    for name in TASKS:
        files = {rule: cell_file(folder, name, rule) for rule in COLOURS}
        cells = {rule: json.loads(path.read_text()) for rule, path in files.items() if path.exists()}
        if any(rule in cells for rule in RULES):
            out[name] = cells
    return out


@dataclass(frozen=True)
class Args:
    """From cells to a page."""

    results: tyro.conf.Positional[Path] = Path("docs/results/learning")
    """Folder of the cells."""
    docs: Path = Path("docs/results/README.md")
    """Markdown page to write, with its pictures beside the cells."""


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        write(tyro.cli(Args, args=argv, description=__doc__))


def write(args: Args) -> None:
    """The page and its pictures."""
    tasks = load(args.results)
    validate.require(bool(tasks), f"there are no cells of spiking learners in {args.results}")
    sections = []
    for name, cells in tasks.items():
        picture = args.results / f"{file_name(name)}.png"
        draw(name, cells).savefig(picture, dpi=110)
        sections.append(task_section(name, cells, str(picture.relative_to(args.docs.parent))))
    title = next((TITLES[regime] for regime, page in PAGES.items() if page.name == args.docs.name), TITLES["fast"])
    intro = INTRO.format(title=title, folder=args.results.name, seeds=seeds(tasks), versions=versions(tasks))
    parts = [intro, *sections, "## All tasks\n\n" + aggregate_table(tasks) + "\n"]
    args.docs.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
