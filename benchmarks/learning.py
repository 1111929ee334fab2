"""Learning curves of many seeds beside their controls: one command makes the whole table, or one cell of it.

python -m benchmarks.learning                                            every task and rule, seeds 3000-3019, with their page
python -m benchmarks.learning --task CartPole-v1 --rule rstdp-et         one of them
python -m benchmarks.learning --regime cortical                          the same in the cortical regime
python -m benchmarks.learning --task CartPole-v1 --rule rstdp-et --seeds 0-7 --set plasticity.lr=0.3    a changed setting

Seeds below 1000 are for tuning, the others for reporting; all tasks have the one setting of the rule. A *cell* of the table
is a task with a rule. Its seeds are one population; controls (see `benchmarks.players`) others. Every cell leaves a JSON
file with all returns of all seeds; `python -m benchmarks.learning_report` makes the table and the pictures from them (the
first command does so by itself).
"""

from __future__ import annotations

import json
import platform
import shlex
import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import tyro

from benchmarks import learning_report, players
from benchmarks.arguments import errors_in_a_line, seed_range, with_changes
from benchmarks.linear import linear_twin
from benchmarks.players import Records
from benchmarks.tasks import RULES, TASKS, TWINS, Task
from rstdp_agents.agent.config import AgentConfig, BackendName
from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.config import Regime, source_of
from rstdp_agents.training.evaluation import evaluate
from rstdp_agents.training.presets import preset

EVALUATED = 20
"""Episodes of each kind of evaluation, per seed."""
MAX_RANDOM_SIGN = 50_000
"""Env steps per agent of the control with a random sign, at most."""


@dataclass(frozen=True)
class Args:
    """What to run."""

    task: str = ""
    """Environment id; empty for all tasks of the table."""
    rule: str = ""
    """rstdp-et, rstdp, reward-switch, linear or random; empty for all of them."""
    regime: Regime = "fast"
    """In which regime the agents' neurons work."""
    seeds: str = "3000-3019"
    """First and last seed."""
    episodes: int = 0
    """Episodes of every learner; 0 for what the task says."""
    set: tuple[str, ...] = ()
    """Changes to the setting, such as plasticity.lr=0.5 or "encoder.cells=4 6"; learners alone run then, and are not written."""
    backend: BackendName = "auto"
    """Of the learners; runs of the torch backend are printed and not written."""
    out: Path | None = None
    """Folder for one JSON file per cell; that of the regime beside the page about it if none is given."""

    @property
    def all_seeds(self) -> tuple[int, ...]:
        return seed_range(self.seeds)

    @property
    def folder(self) -> Path:
        """Where cells become files."""
        return self.out or learning_report.FOLDERS[self.regime]

    @property
    def written(self) -> bool:
        """Whether cells become files: those of the one setting alone."""
        return not self.set and self.backend == "auto"

    @property
    def cells(self) -> list[tuple[str, str]]:
        """(task, rule) of all that was asked for. Raises ValueError for a task or rule that there is not."""
        for name, value, known in (("task", self.task, tuple(TASKS)), ("rule", self.rule, (*RULES, *TWINS))):
            if value:
                validate.one_of(name, value, known)
        tasks = [self.task] if self.task else list(TASKS)
        rules = [self.rule] if self.rule else [*RULES, *TWINS]
        return [(task, rule) for task in tasks for rule in rules]


def run(name: str, rule: str, task: Task, args: Args) -> dict[str, Records]:
    """Records of each condition: ``learner`` and, of a spiking one, ``frozen`` and ``random_sign``."""
    seeds, spiking = args.all_seeds, rule if rule in RULES else "rstdp-et"
    made = replace(preset(name, spiking, regime=args.regime), seed=seeds[0])
    made = replace(made, agent=with_changes(made.agent, args.set))
    source, kwargs = source_of(made)
    envs, config = players.prepared(made, len(seeds))
    if rule in TWINS:
        if rule == "random":
            return {"learner": players.play(players.Random(envs.action_space, seeds), envs, task, seeds, task.control)}
        twin = linear_twin(config, envs, seeds)
        return {"learner": players.play(twin, envs, task, seeds, task.episodes)}
    agent = players.spiking(config, envs, seeds, frozen=False, backend=args.backend)
    records = players.play(agent, envs, task, seeds, task.episodes)
    if args.set:
        return {"learner": records}
    for kind in ("greedy", "stochastic"):
        returns = evaluate(agent, source, kwargs, seeds, EVALUATED, kind == "greedy")
        for record, mean in zip(records, returns.mean(1).tolist(), strict=True):
            record[f"eval_{kind}"] = mean
    twins, again = (SerialGrid(source, kwargs, len(seeds), 1) for _ in range(2))
    frozen = players.play(players.spiking(config, twins, seeds, frozen=True), twins, task, seeds, task.control)
    return {"learner": records, "frozen": frozen, "random_sign": run_random_sign(again, config, task, seeds, records)}


def run_random_sign(
    envs: SerialGrid, config: AgentConfig, task: Task, seeds: tuple[int, ...], learners: Records
) -> Records:
    """The control with a random sign, for as many episodes as the slowest learner took, or as many env steps."""
    took = [record["solved_at_episode"] or task.episodes for record in learners]
    steps = [record["solved_at_step"] or task.max_steps for record in learners]
    limited = replace(task, max_steps=min(max(steps), MAX_RANDOM_SIGN))
    player = players.RandomSign(players.spiking(config, envs, seeds, frozen=False), seeds)
    return players.play(player, envs, limited, seeds, max(took))


def cell(args: Args, name: str, rule: str) -> dict[str, Any]:
    """One cell of the table, with all that is needed to make it again."""
    task, start = TASKS[name], time.time()
    task = replace(task, episodes=args.episodes) if args.episodes else task
    conditions = run(name, rule, task, args)
    command = f"python -m benchmarks.learning --task {name} --rule {rule} --seeds {args.seeds}"
    command += f" --regime {args.regime}" if args.regime != "fast" else ""
    command += f" --episodes {args.episodes}" if args.episodes else ""
    made = {"command": command, "version": version("rstdp_agents"), "torch": torch.__version__}
    made |= {"machine": platform.machine(), "seconds": round(time.time() - start)}
    return {"task": name, "rule": rule, **made, **conditions}


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run_cells(tyro.cli(Args, args=argv, description=__doc__))


def run_cells(args: Args) -> None:
    """Run, print and write every cell that was asked for."""
    validate.not_negative("episodes", args.episodes)
    torch.set_num_threads(1)
    flush_denormal()
    for name, rule in args.cells:
        result = cell(args, name, rule)
        print(f"## {name}, {rule} ({result['seconds']} s, {shlex.join(args.set) or 'the one setting'})\n")
        print(learning_report.cell_table(result), "\n", flush=True)
        if args.written:
            args.folder.mkdir(parents=True, exist_ok=True)
            learning_report.cell_file(args.folder, name, rule).write_text(json.dumps(result) + "\n")
    if not args.task and not args.rule and args.written:
        learning_report.write(learning_report.Args(args.folder, learning_report.PAGES[args.regime]))


if __name__ == "__main__":
    main()
