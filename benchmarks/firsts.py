"""Tasks that no purely local spiking agent had been shown on: MinAtar, continuous control, MiniGrid; by the one setting.

python -m benchmarks.firsts --group MinAtar                         what is missing of a group, and its page (--no-play: the page)
python -m benchmarks.firsts --group MinAtar --task Breakout         of one task: tasks may run side by side
python -m benchmarks.firsts --task Breakout --seeds 0-2 --steps 300_000 --set plasticity.lr=0.5     a changed setting, printed

A file holds a few seeds of a player, and is not made again. Players are those of `benchmarks.generality`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
import tyro
from matplotlib.figure import Figure
from scipy import stats

from benchmarks import trials
from benchmarks.arguments import errors_in_a_line, seed_range
from benchmarks.generality_report import short
from benchmarks.learning_report import file_name
from benchmarks.pool import PoolTask
from benchmarks.trials import Curve, Setting, Trial
from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.files import write_whole
from rstdp_agents.training.evaluation import interval
from rstdp_agents.training.reports.tables import table

GroupName = Literal["MinAtar", "control", "MiniGrid"]


class Group(NamedTuple):
    """Tasks that share a page."""

    title: str
    others: tuple[str, ...]
    """Players beside the agent."""
    said: str
    """Of the tasks, below the title."""


class First(NamedTuple):
    """A task, for how long it is learnt, and how far others come."""

    group: GroupName
    env: str
    steps: int
    """Env steps of each agent."""
    bar: float | None = None
    """Mean return at which it is solved, or good."""
    anchors: Mapping[str, float] = {}
    """Returns that others report."""
    env_kwargs: tuple[str, ...] = ()


GROUPS: dict[GroupName, Group] = {
    "MinAtar": Group(
        "MinAtar", ("frozen", "random"),
        "All six actions, sticky ones, and nothing else known to the agents than the planes. *DQN without replay* and\n"
        "*online AC(0.8)* learn by backpropagation in convolutional networks, for 5 million frames (Young and Tian 2019); the\n"
        "bar is the former. These seeds had no part in any setting, but the games had: the code of planes was looked for on\n"
        "Asterix, SpaceInvaders, Breakout and Freeway, with seeds 200 to 202.",
    ),
    "control": Group(
        "Continuous control", ("frozen", "random", "linear", "ppo", "sac"),
        "*Linear*: an actor-critic on the same features without spikes. *Ppo*, *sac*: Stable-Baselines3's defaults on the same\n"
        "env steps.",
    ),
    "MiniGrid": Group(
        "MiniGrid", ("frozen", "random", "linear", "ppo"),
        "Partial views of symbols; the mission is left out. *Linear*: an actor-critic on the same features without spikes.\n"
        "*Ppo*: Stable-Baselines3's defaults on the same env steps.",
    ),
}  # fmt: skip
ALL_ACTIONS = ("use_minimal_action_set:False",)


def _game(name: str, without_replay: float | None, online: float | None) -> First:
    anchors = {"DQN without replay": without_replay, "online AC(0.8)": online}
    known = {who: value for who, value in anchors.items() if value is not None}
    return First("MinAtar", f"MinAtar/{name}-v1", 5_000_000, without_replay, known, ALL_ACTIONS)


TASKS: dict[str, First] = {
    "Breakout": _game("Breakout", 4, 17.5),
    "Asterix": _game("Asterix", 5.5, 19),
    "SpaceInvaders": _game("SpaceInvaders", 13, 185),
    "Freeway": _game("Freeway", 9, 47),
    "Seaquest": _game("Seaquest", None, None),
    "InvertedPendulum-v5": First("control", "InvertedPendulum-v5", 200_000, 950),
    "InvertedDoublePendulum-v5": First("control", "InvertedDoublePendulum-v5", 200_000, 9100),
    "Reacher-v5": First("control", "Reacher-v5", 200_000, -3.75),
    "LunarLanderContinuous-v3": First("control", "LunarLanderContinuous-v3", 200_000, 200),
    "Swimmer-v5": First("control", "Swimmer-v5", 200_000),
    "Hopper-v5": First("control", "Hopper-v5", 200_000),
    "HalfCheetah-v5": First("control", "HalfCheetah-v5", 200_000),
    "BipedalWalker-v3": First("control", "BipedalWalker-v3", 200_000, 300),
    "DoorKey-5x5": First("MiniGrid", "minigrid:MiniGrid-DoorKey-5x5-v0", 100_000, 0.9),
    "Unlock": First("MiniGrid", "minigrid:MiniGrid-Unlock-v0", 100_000, 0.9),
    "Empty-Random-6x6": First("MiniGrid", "minigrid:MiniGrid-Empty-Random-6x6-v0", 100_000, 0.9),
}
STILL = ("frozen", "random")
"""Players that do not learn."""
OF_STILL = 500_000
"""Their env steps, at most."""
SLOW = ("linear", "ppo", "sac")
"""Players that have the first `FEW` seeds."""
FEW = 3
AT_ONCE = 5
"""Seeds of one file."""
POINTS = 250
"""Points of a curve: means of the episodes that ended in a part of the env steps."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Args:
    """What to run."""

    group: GroupName | Literal[""] = ""
    """Whose tasks, and page."""
    task: str = ""
    """One of the tasks, without its page."""
    seeds: str = "3190-3199"
    """First and last seed."""
    steps: int = 0
    """Env steps of every learner; 0 for what the task says."""
    set: tuple[str, ...] = ()
    """Changes to the setting, such as plasticity.lr=0.5, for one task; agents alone run then, and are not written."""
    players: tuple[str, ...] = ()
    """Who plays; empty for all of the group. The page has all that have played."""
    play: bool = True
    """Play what is missing; else the page is that of tasks whose agents and controls have played with all seeds."""
    out: Path = Path("docs/results/firsts")
    """Folder for files and pictures."""
    docs: Path = Path("docs/results")
    """Folder for the pages."""


def played(name: str, player: str, seeds: tuple[int, ...], steps: int, changes: tuple[str, ...] = ()) -> list[Record]:
    """A record of every seed: its curve, and its last 100 episodes."""
    task, start = TASKS[name], time.process_time()
    pool_task = PoolTask(task.group, "choice", task.env, steps, task.env_kwargs)
    curves = trials.run(Trial(name, pool_task, player, seeds, Setting(changes=changes)))
    us = 1e6 * (time.process_time() - start) / steps / len(seeds)
    each = zip(seeds, curves, strict=True)
    return [{"seed": seed, **summary(curve, steps), "us_per_step": round(us, 1)} for seed, curve in each]


def summary(curve: Curve, steps: int) -> Record:
    """Number of episodes, mean of the last 100, these, and the curve; None where no episode ended."""
    returns, ends = np.array(curve).reshape(-1, 2).T
    part = np.minimum((ends.astype(int) - 1) * POINTS // steps, POINTS - 1)
    means = [float(np.mean(returns[part == i])) if (part == i).any() else None for i in range(POINTS)]
    last = [round(float(value), 4) for value in returns[-100:]]
    rounded = [None if value is None else round(value, 3) for value in means]
    return {"episodes": len(returns), "final_mean": float(np.mean(last)), "last": last, "curve": rounded}


def everyone(name: str) -> tuple[str, ...]:
    """All players of a task."""
    return ("agent", *GROUPS[TASKS[name].group].others)


def measure(name: str, player: str, args: Args) -> None:
    """Let a player play with all seeds that are in no file."""
    for file, seeds, steps in files(name, player, args):
        if not file.exists():
            records = played(name, player, seeds, steps)
            print(name, player, means(records), flush=True)
            write_whole(file, json.dumps(records) + "\n")


def kept(name: str, args: Args) -> dict[str, list[Record]]:
    """Records of all seeds of the players that have all of them in files."""
    each = {player: [file for file, *_ in files(name, player, args)] for player in everyone(name)}
    there = {player: own for player, own in each.items() if all(file.exists() for file in own)}
    return {player: [one for file in own for one in json.loads(file.read_text())] for player, own in there.items()}


def files(name: str, player: str, args: Args) -> list[tuple[Path, tuple[int, ...], int]]:
    """Files of a player, and the seeds and env steps of each."""
    seeds = seed_range(args.seeds)[: FEW if player in SLOW else None]
    steps = args.steps or TASKS[name].steps
    if player in STILL:
        steps = min(steps, OF_STILL)
    each = [seeds[first : first + AT_ONCE] for first in range(0, len(seeds), AT_ONCE)]
    return [(args.out / f"{file_name(name)}_{player}_{steps}_{some[0]}-{some[-1]}.json", some, steps) for some in each]


def means(records: list[Record]) -> str:
    """Mean of the last 100 episodes of every seed."""
    return ", ".join(short(record["final_mean"]) for record in records)


def page(group: GroupName, found: dict[str, dict[str, list[Record]]], args: Args) -> str:
    """The table, every seed, and the pictures."""
    own, others = GROUPS[group], [p for p in GROUPS[group].others if any(p in of for of in found.values())]
    anchors = list(dict.fromkeys(who for name in found for who in TASKS[name].anchors))
    lines, each = [], []
    for name, of in found.items():
        task, agent = TASKS[name], np.array([record["final_mean"] for record in of["agent"]])
        low, high = interval(agent)
        twins = [np.array([record["final_mean"] for record in of[player]]) for player in STILL]
        p = max(stats.mannwhitneyu(agent, twin, alternative="greater").pvalue for twin in twins)
        reached = "-" if task.bar is None else f"{(agent >= task.bar).sum()}/{len(agent)} of {task.bar:g}"
        told = [f"{task.anchors[who]:g}" if who in task.anchors else "-" for who in anchors]
        beside = [
            short(float(np.mean([r["final_mean"] for r in of[player]]))) if player in of else "-" for player in others
        ]
        reach = f"{short(agent.mean())} [{short(low)}, {short(high)}]"
        us, steps = [record["us_per_step"] for record in of["agent"]], args.steps or task.steps
        took = f"{np.mean(us):.0f}" if None not in us else "-"
        lines.append([name, f"{steps:,}", reach, reached, *beside, f"{p:.1g}", *told, took])
        each.append([name, *(short(value) for value in agent)])
    fewer = f"; the first {FEW} seeds of players that learn without spikes" if set(SLOW) & set(others) else ""
    head = ["", "env steps", "agent", "at the bar", *others, "p", *anchors, "us a step"]
    pictures = "\n\n".join(f"![{name}]({args.out.name}/{file_name(name)}.png)" for name in found)
    return f"""# {own.title}

`python -m benchmarks.firsts --group {group} --seeds {args.seeds}`: the one setting of R-STDP-ET, one layer
of spiking neurons{fewer}. {own.said}

Mean return of the last 100 training episodes; brackets are bootstrap 95 % intervals over seeds. *Frozen*: the same networks
with learning rates of zero, {OF_STILL:,} env steps at most. *p*: that the agents are no better than frozen or random ones, the
larger of two one-sided Mann-Whitney tests. *us a step*: CPU of an env step of an agent, one of {AT_ONCE} in a process.

{table(head, lines)}

Every seed:

{table(["", *map(str, seed_range(args.seeds))], each)}

{pictures}
"""


def draw(name: str, of: dict[str, list[Record]], args: Args) -> Figure:
    """Every seed's curve and their mean; others as lines at their last mean."""
    task, steps = TASKS[name], args.steps or TASKS[name].steps
    figure = Figure(figsize=(7.0, 3.2), layout="constrained")
    axes = figure.subplots()
    at = (np.arange(POINTS) + 0.5) * steps / POINTS / 1e3
    curves = np.ma.masked_invalid(np.array([record["curve"] for record in of["agent"]], dtype=float))
    for curve in curves:
        axes.plot(at[~curve.mask], curve.compressed(), color="tab:blue", alpha=0.35, linewidth=0.8)
    axes.plot(at, curves.mean(0), color="black", linewidth=1.5, label="agent, mean")
    for player, colour in {
        "frozen": "tab:orange",
        "linear": "tab:purple",
        "ppo": "tab:red",
        "sac": "tab:brown",
    }.items():
        if player in of:
            height = float(np.mean([record["final_mean"] for record in of[player]]))
            axes.axhline(height, color=colour, linewidth=1, label=player)
    if task.bar is not None:
        axes.axhline(task.bar, color="tab:green", linestyle=":", linewidth=1, label="bar")
    axes.set(title=name, xlabel="thousand env steps", ylabel="return", xlim=(0, steps / 1e3))
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small", frameon=False)
    return figure


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run_all(tyro.cli(Args, args=argv, description=__doc__))


def run_all(args: Args) -> None:
    """Run, print and write all that was asked for."""
    torch.set_num_threads(1)
    flush_denormal()
    if args.task:
        validate.one_of("task", args.task, tuple(TASKS))
    if args.set:
        validate.require(bool(args.task), "`set` is for one `task`: pages are of the one setting")
        steps = args.steps or TASKS[args.task].steps
        print(args.task, means(played(args.task, "agent", seed_range(args.seeds), steps, args.set)))
        return
    validate.require(bool(args.group or args.task), f"which `group` of {', '.join(get_args(GroupName))}, or `task`?")
    names = [args.task] if args.task else [name for name, task in TASKS.items() if task.group == args.group]
    for player in args.players:
        validate.one_of("players", player, trials.PLAYERS)
    for name in names:
        for player in (args.players or everyone(name)) if args.play else ():
            measure(name, player, args)
    if args.task or not args.group:
        return
    found = {name: kept(name, args) for name in names}
    found = {name: of for name, of in found.items() if {"agent", *STILL} <= of.keys()}
    for name, of in found.items():
        draw(name, of, args).savefig(args.out / f"{file_name(name)}.png", dpi=100)
    write_whole(args.docs / f"{args.group.lower()}.md", page(args.group, found, args))


if __name__ == "__main__":
    main()
