"""One setting on many environments: ours, its controls, and the defaults of Stable-Baselines3, on the same env steps.

python -m benchmarks.generality                                             everything, with the table printed at the end
python -m benchmarks.generality --pool choice --set plasticity.lr=0.3       a changed setting, on what may be looked at
python -m benchmarks.generality --pool held-out --docs docs/results/generality.md      the page and its picture
python -m benchmarks.generality --quick                                     some tasks, fewer steps and seeds: minutes

Players: *agent*, the defaults of a rule; *frozen*, the same networks with a learning rate of zero; *linear*, an actor-critic on
the same features without spikes; *preset*, what is changed for a task, where something is; *random*, random actions;
*ppo*, *dqn* and *sac* of Stable-Baselines3 (extra `sb3`). The seeds of a player of ours are one population. Every player leaves a
file for each task, named by all that it was made from (except the code), and is not run again; a task whose package is missing
is skipped, with the reason. `benchmarks.pool` has the tasks, `benchmarks.generality_report` what is made of the files.
"""

from __future__ import annotations

import multiprocessing
import shlex
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Literal

import tyro

from benchmarks import generality_report, sb3, trials
from benchmarks.arguments import errors_in_a_line, seed_range
from benchmarks.compat import short
from benchmarks.pool import POOL, Pool, PoolTask
from benchmarks.trials import PLAYERS, Setting, Trial
from rstdp_agents.base import validate
from rstdp_agents.base.errors import EnvironmentFault
from rstdp_agents.spiking.plasticity.options import RuleName
from rstdp_agents.training.presets import found_for, other

QUICK = ("CartPole-v1", "Pendulum-v1", "FrozenLake-v1, not slippery", "rstdp/Catch-v0", "bandit of 10 numbers")
"""Tasks of the quick form."""
FEWER = 5
"""By how much its env steps are fewer."""
REFERENCES = ("linear", *sb3.ALGORITHMS)
"""Players that do not spike and learn, which are slow; they have the few seeds."""
UNSAID = ("workers", "out")
"""Options that change no figure."""


@dataclass(frozen=True)
class Args:
    """What to run."""

    pool: Pool | Literal["both"] = "both"
    """Environments that may be looked at while a setting is chosen, or those of the report."""
    tasks: tuple[str, ...] = ()
    """Names in the pool; none for all of them."""
    players: tuple[str, ...] = ("agent", "frozen", "linear", "preset", "random", "ppo")
    """Who plays."""
    rule: RuleName = "rstdp-et"
    """Learning rule of agent, frozen and preset."""
    seeds: str = "0-9"
    """First and last seed of agent, frozen, preset and random."""
    reference_seeds: str = "0-2"
    """First and last seed of linear, ppo, dqn and sac."""
    set: tuple[str, ...] = ()
    """Changes to the setting, such as plasticity.lr=0.5; presets stay as they are."""
    workers: int = 1
    """Processes, of one thread each."""
    quick: bool = False
    """Five tasks of the choice pool, a fifth of the env steps, seeds 0-4 and 0-1."""
    out: Path = Path("docs/results/generality")
    """Folder for a file of each player and task."""
    docs: Path | None = None
    """Markdown page to write, with its picture beside it."""

    @property
    def asked(self) -> dict[str, PoolTask]:
        """The tasks by name. Raises ValueError for a wrong name, and if there are none."""
        for name in self.tasks:
            validate.one_of("tasks", name, tuple(POOL))
        names = [name for name in self.tasks or (QUICK if self.quick else POOL)]
        found = {name: POOL[name] for name in names if self.pool in ("both", POOL[name].pool)}
        validate.require(bool(found), f"none of these tasks is in the {self.pool} pool")
        return {name: replace(task, steps=task.steps // FEWER) for name, task in found.items()} if self.quick else found

    @property
    def own_seeds(self) -> str:
        """First and last seed of agent, frozen, preset and random."""
        return "0-4" if self.quick else self.seeds

    @property
    def few_seeds(self) -> str:
        """First and last seed of the reference algorithms."""
        return "0-1" if self.quick else self.reference_seeds

    def trial(self, name: str, player: str) -> Trial:
        """What a player does on a task."""
        seeds = seed_range(self.few_seeds if player in REFERENCES else self.own_seeds)
        return Trial(name, self.asked[name], player, seeds, Setting(self.rule, self.set))

    def trials(self, players: Iterable[str]) -> list[Trial]:
        """All of some players, task by task; *preset* has one only where the task has a preset."""
        each = [self.trial(name, player) for name in self.asked for player in players]
        return [trial for trial in each if trial.player != "preset" or _has_preset(trial)]


def _has_preset(trial: Trial) -> bool:
    task, rule = trial.task, trial.setting.rule
    return bool(found_for(task.env, rule)) and not other(task.env, rule, task.env_kwargs, task.wrapper)


def attempt(trial: Trial, folder: Path) -> str:
    """Run a trial and keep it; why that was impossible, in words, or an empty text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other packages warn of is not ours to mend
        try:
            trials.keep(trial, folder)
        except (ValueError, EnvironmentFault) as error:
            return short(str(error))
        except Exception as error:  # one environment of others must not end a night of them
            return short(f"{type(error).__name__}: {error}")
    return ""


@contextmanager
def mapping(workers: int) -> Iterator[Callable[..., Iterable[str]]]:
    """``map``, or one over several processes."""
    if workers == 1:
        yield map
        return
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield pool.map


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run_all(tyro.cli(Args, args=argv, description=__doc__))


def run_all(args: Args) -> None:
    """Run what is not there yet, print what became of it, and report on all that is there."""
    validate.positive("workers", args.workers)
    for player in args.players:
        validate.one_of("players", player, PLAYERS)
    missing = [trial for trial in args.trials(args.players) if not trial.file(args.out).exists()]
    skipped: dict[tuple[str, str], str] = {}
    with mapping(args.workers) as mapped:
        for trial, reason in zip(missing, mapped(partial(attempt, folder=args.out), missing)):
            print(f"{trial.player:8} {trial.name:40} {f'skipped: {reason}' if reason else 'done'}", flush=True)
            if reason:
                skipped[trial.name, trial.player] = reason
    found = generality_report.load(args.trials(PLAYERS), args.out, skipped)
    print(body := generality_report.tables(found))
    if args.docs:
        generality_report.write(args.docs, found, body, in_words(args))


def in_words(args: Args) -> dict[str, str]:
    """The setting, the seeds, and the options of the command that makes the page."""
    changes = f" with {', '.join(f'`{change}`' for change in args.set)}" if args.set else ""
    given = {f.name: getattr(args, f.name) for f in fields(args) if getattr(args, f.name) != f.default}
    words = [
        f"--{name.replace('_', '-')} {_text(value)}".strip() for name, value in given.items() if name not in UNSAID
    ]
    return {
        "setting": f"the defaults of `{args.rule}`{changes}",
        "seeds": f"{args.own_seeds}; {args.few_seeds} of ppo and linear",
        "options": " ".join(words),
        "form": f" This is the quick form, env steps divided by {FEWER}: few for PPO." if args.quick else "",
    }


def _text(value: object) -> str:
    return shlex.join(value) if isinstance(value, tuple) else "" if value is True else shlex.quote(str(value))


if __name__ == "__main__":
    main()
