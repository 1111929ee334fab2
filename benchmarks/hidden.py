"""What a hidden layer learns, by what it is credited with, beside no hidden layer and one that keeps its weights.

python -m benchmarks.hidden                                     every task, with their page; goes on where it ended
python -m benchmarks.hidden --task "exclusive or" --seeds 100-109    one of them, printed
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import tyro
from matplotlib.figure import Figure

from benchmarks import players
from benchmarks.arguments import errors_in_a_line, seed_range, task_named
from benchmarks.learning_report import file_name, last, solved
from benchmarks.players import Records
from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.files import write_whole
from rstdp_agents.base.settings import override
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports.scores import rolling
from rstdp_agents.training.reports.tables import table


class Net(NamedTuple):
    """A task for a network with hidden neurons."""

    env: str
    settings: dict[str, Any]
    """Of the network, and of the code that it has to make something of."""
    episodes: int
    """Of every seed."""


TASKS = {
    "bars": Net("rstdp/Bars-v0", {"network.conv": ((16, 3, 1),)}, 4000),
    "exclusive or": Net("rstdp/XOR-v0", {"encoder.code": "separate", "network.hidden": (128,)}, 1200),
    "CartPole": Net("CartPole-v1", {"network.hidden": (64,)}, 220),
    "Acrobot": Net("Acrobot-v1", {"network.hidden": (64,)}, 250),
}
CREDITS: dict[str, dict[str, Any]] = {
    "mirrored": {},
    "feedback": {"network.credit": "feedback"},
    "broadcast": {"network.credit": "broadcast"},
    "frozen": {"network.credit": "frozen"},
    "no hidden layer": {"network.conv": (), "network.hidden": ()},
    "nothing learns": {},
}
"""What is changed; in the last one all learning rates are zero as well."""
OF_CONTROL = 500
"""Episodes where nothing learns, at most."""


@dataclass(frozen=True)
class Args:
    """What to run."""

    task: str = ""
    """One of the tasks; empty for all, with their page."""
    seeds: str = "3170-3189"
    """First and last seed."""
    out: Path = Path("docs/results/hidden")
    """Folder for a file of each task, and their pictures."""
    docs: Path = Path("docs/results/hidden.md")
    """The page."""


def learnt(net: Net, credit: str, seeds: tuple[int, ...]) -> Records:
    """Records of all seeds."""
    made = replace(preset(net.env, "rstdp-et"), seed=seeds[0])
    made = replace(made, agent=override(made.agent, net.settings | CREDITS[credit]))
    envs, config = players.prepared(made, len(seeds))
    still = credit == "nothing learns"
    episodes = min(net.episodes, OF_CONTROL) if still else net.episodes
    task = replace(task_named(net.env), episodes=episodes, max_steps=500 * episodes)
    return players.play(players.spiking(config, envs, seeds, frozen=still), envs, task, seeds, episodes)


def measured(name: str, args: Args) -> dict[str, Records]:
    """Records by credit, as they are in the file of the task or, if it has not got them, as they are found now."""
    file = args.out / f"{file_name(name.replace(' ', '-'))}_{args.seeds}.json"
    found: dict[str, Records] = json.loads(file.read_text()) if file.exists() and not args.task else {}
    for credit in CREDITS:
        if credit not in found:
            found[credit] = learnt(TASKS[name], credit, seed_range(args.seeds))
            print(name, credit, *_line(name, found[credit]), flush=True)
            if not args.task:
                write_whole(file, json.dumps(found) + "\n")
    return found


def section(name: str, found: dict[str, Records], args: Args) -> str:
    """Heading, tables and picture of a task."""
    net, bound = TASKS[name], task_named(TASKS[name].env).solved
    settings = ", ".join(f"`{key}` {value}" for key, value in net.settings.items())
    head = ["hidden layer", f"{bound:g} reached, in episodes (of {net.episodes})", "mean return of the last 100"]
    lines = table(head, [[credit, *_line(name, records)] for credit, records in found.items()])
    seeds = [str(record["seed"]) for record in found["mirrored"]]
    each = table(
        ["seed", *found],
        [[seed, *(_of_seed(records[i]) for records in found.values())] for i, seed in enumerate(seeds)],
    )
    picture = f"{args.out.name}/{file_name(name.replace(' ', '-'))}.png"
    return (
        f"## {name.capitalize() if name.islower() else name}\n\n`{net.env}`, {settings}.\n\n{lines}\n\n![Returns]({picture})\n\n"
        f"Every seed: episodes to the bound, mean return of the last 100.\n\n{each}\n"
    )


def draw(name: str, found: dict[str, Records]) -> Figure:
    """A panel for each credit: every seed's rolling return, and their mean."""
    figure = Figure(figsize=(9.0, 5.0), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for axes, (credit, records) in zip(panels.flat, found.items(), strict=True):
        curves = [rolling(record["returns"]) for record in records]
        for curve in curves:
            axes.plot(np.arange(1, 1 + len(curve)), curve, color="tab:blue", alpha=0.4, linewidth=0.8)
        shortest = min(map(len, curves))
        whole = np.mean([curve[:shortest] for curve in curves], 0)
        axes.plot(np.arange(1, 1 + shortest), whole, color="black", linewidth=1.5)
        axes.axhline(task_named(TASKS[name].env).solved, color="tab:green", linestyle=":", linewidth=1)
        axes.set(title=credit, xlim=(0, TASKS[name].episodes))
    figure.supxlabel("episodes")
    figure.supylabel("mean return of the last 100")
    return figure


def _line(name: str, records: Records) -> list[str]:
    bound = task_named(TASKS[name].env).solved
    return [solved({"learner": records}, bound), last(records, bound)]


def _of_seed(record: dict[str, Any]) -> str:
    return f"{record['solved_at_episode'] or '-'}, {record['final_mean']:.2f}"


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run_all(tyro.cli(Args, args=argv, description=__doc__))


def run_all(args: Args) -> None:
    """Run, print and write all that was asked for."""
    if args.task:
        validate.one_of("task", args.task, tuple(TASKS))
    torch.set_num_threads(1)
    flush_denormal()
    if args.task:
        measured(args.task, args)
        return
    text = f"""# What a hidden layer learns

`python -m benchmarks.hidden`: the one setting of R-STDP-ET with hidden neurons, seeds {args.seeds}. What they are credited
with is in [learning](../learning.md#hidden-layers).
"""
    for name in TASKS:
        found = measured(name, args)
        draw(name, found).savefig(args.out / f"{file_name(name.replace(' ', '-'))}.png", dpi=100)
        text += "\n" + section(name, found, args)
    write_whole(args.docs, text)


if __name__ == "__main__":
    main()
