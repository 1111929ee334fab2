"""Speed beside the peers: all contestants do the same work in one run, taking turns; a table, JSON and a figure.

python -m benchmarks.speed --json docs/results/speed.json --docs docs/performance.md

The peers are installed into an environment of their own, once; what cannot be installed or imported is left out, and the
reason is printed. Every contestant runs on one thread in a process of its own and stays warm.
"""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import tyro

from benchmarks import machine, speed_report
from benchmarks.breakdown import breakdown, upkeep
from benchmarks.contest import Contestant, Refused, Rounds, take_turns
from benchmarks.peers.install import PEERS, install, python_of
from benchmarks.peers.work import Size
from benchmarks.summary import overhead_percent, quartiles

OURS = {"ours, torch": "ours", "ours, fused": "ours_fused"}
"""Name -> file in `benchmarks/peers` that holds ``prepare(size) -> env_step``, and `cartpole` for the loop."""
LIMITS = {"axpy": "axpy", "sgemm": "sgemm"}
SIZES = (Size(64, 16), Size(784, 100), Size(4096, 1024), Size(784, 100, 16), Size(4096, 1024, 16))
NO_TRACE = (Size(784, 100, 16, trace=False), Size(4096, 1024, 16, trace=False))
NO_TRACE_PEERS = "BindsNET", "SpikingJelly"
"""Contestants of the rows without a trace: the other peers would take minutes of a run for the same lesson."""
CUDA_SIZES = (*SIZES, Size(4096, 1024, 256))
POPULATIONS = (16, 64, 256)
"""Beside the one agent of the loop."""
VARIANTS: dict[str, dict[str, Any]] = {
    "": {},
    ", vector env": {"vectorization": "vector"},
    ", vector env, 2 threads": {"vectorization": "vector", "threads": 2},
}
"""Ways to run a population."""
LOOP_BEFORE = Path("docs/results/loop_before.json")
"""What `benchmarks.breakdown` said of the first version of the fused path."""
BASE = Size(784, 100)
GROWTH: dict[str, tuple[int, ...]] = {
    "ticks": (4, 8, 16, 32, 64), "post": (25, 100, 400, 1600), "envs": (1, 4, 16, 64), "agents": (1, 4, 16, 64)
}  # fmt: skip


@dataclass(frozen=True)
class Args:
    """What to measure."""

    quick: bool = False
    """Short turns, and no peers where an env step of theirs takes many seconds; under two minutes."""
    peers: bool = True
    """Run the other libraries too."""
    peers_venv: Path = Path(".peers-venv")
    """Environment into which they are installed."""
    json: Path | None = None
    """File for all figures."""
    docs: Path | None = None
    """Markdown page to write from them."""
    plot: Path | None = None
    """Picture of the ratios; beside the page if that is written."""

    @property
    def rounds(self) -> Rounds:
        """Time for each contestant in each row."""
        return Rounds(seconds=1.0, turn=0.1) if self.quick else Rounds(seconds=5.0, turn=0.25, least=5)

    @property
    def loop_rounds(self) -> Rounds:
        """The same for the training loop, whose turns must be long enough to write metrics."""
        return Rounds(seconds=1.5, turn=0.5) if self.quick else Rounds(seconds=8.0, turn=1.0, least=5)


class Contest:
    """All contestants that came up, and why the others did not."""

    def __init__(self, args: Args) -> None:
        self.args, self.left_out = args, dict[str, str]()
        self.entries = {name: (module, Path(sys.executable)) for name, module in (OURS | LIMITS).items()}
        if args.peers:
            self._enter_peers(args.peers_venv.absolute())
        self.all = {name: c for name in list(self.entries) if (c := self._start(name))}
        self.ours = {name: c for name, c in self.all.items() if name in OURS}
        self.peers = {name: c for name, c in self.all.items() if name in PEERS}

    def fresh(self, name: str) -> Contestant:
        """One more process of a contestant."""
        return Contestant(name, *self.entries[name])

    def _enter_peers(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.left_out |= install(folder, folder / "install.log")
        ready = {name: (p.module, python_of(folder)) for name, p in PEERS.items() if name not in self.left_out}
        self.entries = ready | self.entries

    def _start(self, name: str) -> Contestant | None:
        try:
            return self.fresh(name)
        except Refused as refused:
            self.left_out[name] = str(refused)
            return None


def measure(
    contestants: dict[str, Contestant], rounds: Rounds, left_out: dict[str, str], what: str, **work: Any
) -> dict[str, dict[str, Any]]:
    """Quartiles of the microseconds per env step of everyone who can do the work (`size`, or of `cartpole`)."""
    ready, gave_up = {}, dict[str, str]()
    for name, contestant in contestants.items():
        try:
            contestant.layer(**work) if "size" in work else contestant.cartpole(**work)
            ready[name] = contestant
        except Refused as refused:
            left_out[f"{name}, {what}"] = str(refused)
    turns = take_turns(ready, rounds, gave_up)
    left_out.update({f"{name}, {what}": reason for name, reason in gave_up.items()})
    return {name: quartiles(samples) for name, samples in turns.items()}


def layers(contest: Contest, sizes: tuple[Size, ...], names: Collection[str]) -> list[dict[str, Any]]:
    """One layer at every size, by the contestants ``names``; limits of the machine are kept apart from them."""
    rows = []
    for size in sizes:
        entrants = {name: c for name, c in contest.all.items() if name in names}
        if contest.args.quick and size.weights * size.envs > 20e6:
            contest.left_out |= {f"{name}, {size}": "takes many seconds; see a full run" for name in contest.peers}
            entrants = {name: c for name, c in entrants.items() if name not in contest.peers}
        figures = measure(entrants, contest.args.rounds, contest.left_out, str(size), size=size)
        limits = {name: figures.pop(name) for name in LIMITS if name in figures}
        rows.append({"name": str(size), "size": asdict(size), "contestants": figures, "limits": limits})
        print(speed_report.layer_table([rows[-1]]), "\n", flush=True)
    return rows


def cartpole(contest: Contest) -> dict[str, Any]:
    """The whole training loop with one agent."""
    entrants = contest.ours | {n: c for n, c in contest.peers.items() if n in ("BindsNET", "SpikingJelly")}
    return measure(entrants, contest.args.loop_rounds, contest.left_out, "CartPole")


def populations(contest: Contest) -> dict[str, dict[str, Any]]:
    """The training loop with many agents, each on its own env: agents -> contestant -> time of a step of all."""
    rounds, out = contest.args.loop_rounds, dict[str, dict[str, Any]]()
    for n in POPULATIONS:
        out[str(n)] = {}
        for variant, settings in VARIANTS.items():
            entrants = {name: c for name, c in contest.ours.items() if not variant or name == "ours, fused"}
            figures = measure(entrants, rounds, contest.left_out, f"{n} agents{variant}", agents=n, **settings)
            out[str(n)] |= {name + variant: figure for name, figure in figures.items()}
    return out


def where_time_goes(args: Args) -> dict[str, dict[str, float]]:
    """Parts of the training loop, in microseconds per env step, for each backend and for the first fused version."""
    steps = 10_000 if args.quick else 50_000
    before = {"fused, first version": json.loads(LOOP_BEFORE.read_text())} if LOOP_BEFORE.exists() else {}
    return before | {name: breakdown(steps, name) for name in ("fused", "torch")}


def logging(contest: Contest) -> dict[str, dict[str, Any]]:
    """What metrics cost (percent): the loop with them and without, same seed, in pairs of turns of the same process."""
    out, turn_us = {}, 0.5e6
    for name, contestant in contest.ours.items():
        contestant.cartpole()
        steps = max(500, round(turn_us / contestant.run(500)))
        percents = []
        for pair in range(6 if contest.args.quick else 30):
            us = {}
            for metrics in (True, False) if pair % 2 else (False, True):
                contestant.cartpole(metrics=metrics)
                us[metrics] = contestant.run(steps)
            percents.append(overhead_percent(us[True], us[False]))
        out[name] = quartiles(percents)
    return out


def growth(contest: Contest) -> dict[str, dict[str, list[float]]]:
    """Microseconds per env step of ours along each axis, from `BASE`: axis -> {"value": [...], contestant: [...]}."""
    rounds = replace(contest.args.rounds, seconds=contest.args.rounds.seconds / 4)
    out = {}
    for axis, values in GROWTH.items():
        out[axis] = {"value": list(values), **{name: [] for name in contest.ours}}
        for value in values:
            size = replace(BASE, **{axis: value})
            for name, figure in measure(contest.ours, rounds, contest.left_out, f"{axis} {value}", size=size).items():
                out[axis][name].append(figure["median"])
    return out


def memory(contest: Contest) -> dict[str, dict[str, float]]:
    """Resident memory of a fresh process at the largest size (MiB): at its peak, and what it added to that of the smallest."""
    out = {}
    for name in contest.ours if contest.args.quick else contest.ours | contest.peers:
        size = SIZES[-1] if name in contest.ours else replace(SIZES[-1], ticks=2)  # theirs does not grow with ticks
        try:
            contestant = contest.fresh(name)
            contestant.layer(SIZES[0])
            contestant.run(1)
            before = contestant.peak_mib()
            contestant.layer(size)
            contestant.run(1)
            peak = contestant.peak_mib()
            out[name] = {"peak_mib": peak, "added_mib": peak - before, "state_mib": size.state_bytes / 2**20}
            contestant.close()
        except Refused as refused:
            contest.left_out[f"{name}, memory"] = str(refused)
    return out


def on_cuda(contest: Contest) -> list[dict[str, Any]]:
    """The torch path on a GPU; empty where there is none."""
    try:
        entrants = {"ours, torch, CUDA": Contestant("ours, torch, CUDA", "ours_cuda", Path(sys.executable))}
    except Refused as refused:
        contest.left_out["CUDA rows"] = str(refused)
        return []
    rows = []
    for size in CUDA_SIZES:
        figures = measure(entrants, contest.args.rounds, contest.left_out, str(size), size=size)
        rows.append({"name": str(size), "size": asdict(size), "contestants": figures, "limits": {}})
    return rows


def main() -> None:
    args = tyro.cli(Args, description=__doc__)
    facts = machine.describe()
    contest = Contest(args)
    start = time.time()
    for name, reason in contest.left_out.items():
        print(f"left out: {name}: {reason}")
    results = {
        "command": "python -m benchmarks.speed " + shlex.join(sys.argv[1:]),
        "machine": facts,
        "versions": {name: contestant.version for name, contestant in contest.all.items()},
        "layers": layers(contest, SIZES, contest.all),
        "no_trace": layers(contest, NO_TRACE, {*OURS, *NO_TRACE_PEERS}),
        "cartpole": cartpole(contest),
        "populations": populations(contest),
        "breakdown": where_time_goes(args),
        "upkeep": {"steps": (steps := 100_000 if args.quick else 1_000_000), "percent": upkeep(steps)},
        "logging": logging(contest),
        "growth": growth(contest),
        "memory": memory(contest),
        "cuda": on_cuda(contest),
        "left_out": contest.left_out,
    }
    results["seconds"] = round(time.time() - start)
    for contestant in contest.all.values():
        contestant.close()
    print(speed_report.page(results, None))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    speed_report.write(results, args.docs, args.plot)


if __name__ == "__main__":
    main()
