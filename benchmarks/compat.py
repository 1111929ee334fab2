"""Which environments work: every id that Gymnasium knows of, and of the packages that are installed, is trained for a moment.

python -m benchmarks.compat                                          all that is installed; tables in docs/results
python -m benchmarks.compat --packages gymnasium minigrid --out x    some packages, into another folder

An id works if it is made, trained for 200 env steps, and the state of the agent stays finite. Of ids that differ in nothing but
their version only the newest is tried.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import signal
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
import tyro
from gymnasium.envs.registration import EnvSpec

from benchmarks.machine import describe
from rstdp_agents.config import override
from rstdp_agents.environments import make_env
from rstdp_agents.errors import EnvironmentFault, UsageError
from rstdp_agents.presets import preset
from rstdp_agents.training import Training

PLUGINS = ("minigrid", "ale_py", "highway_env", "popgym", "mo_gymnasium", "neurogym")
"""Packages that register environments when they are imported."""
WRAPPERS = {"mo_gymnasium": ("mo_gymnasium.wrappers:LinearReward",)}
"""What a package's environments need to be learnt by one number."""
SHORT = {"eval_episodes": 0, "images": 0, "progress": False}


class TooSlow(Exception):
    """Raised in what takes longer than it may."""


@dataclass(frozen=True)
class Args:
    """What to try."""

    packages: tuple[str, ...] = ("gymnasium", "envs", *PLUGINS)
    """Packages whose ids are tried, as far as they are installed."""
    steps: int = 200
    """Env steps of training."""
    seconds: int = 60
    """Time after which an id is given up."""
    every: int = 1
    """Try every so manyth id of a package only."""
    out: Path = Path("docs/results")
    """Folder for compat.md and compat.json."""


def main(args: Args) -> None:
    versions = {name: version for name in args.packages if (version := imported(name))}
    groups: dict[str, list[EnvSpec]] = defaultdict(list)
    for spec in newest(list(gym.registry.values())):
        groups[package(spec)].append(spec)
    results = []
    for name in versions:
        for spec in groups[name][:: args.every]:
            results.append({"package": name, "id": spec.id, **tried(spec.id, args, WRAPPERS.get(name, ()))})
            print(f"{name:12} {spec.id:45} {results[-1]['outcome']} {results[-1]['reason']}", flush=True)
    command = "python -m benchmarks.compat " + " ".join(sys.argv[1:])
    report = {"command": command.strip(), "machine": describe(), "versions": versions, "results": results}
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "compat.json").write_text(json.dumps(report, indent=1) + "\n")
    (args.out / "compat.md").write_text(page(report))


def imported(name: str) -> str:
    """Version of a package, which now has registered what it has; empty where it is not installed."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        return ""
    return getattr(module, "__version__", "here")


def package(spec: EnvSpec) -> str:
    """Where an environment comes from."""
    entry = spec.entry_point
    return (entry if isinstance(entry, str) else getattr(entry, "__module__", "")).split(".")[0].split(":")[0]


def newest(specs: list[EnvSpec]) -> list[EnvSpec]:
    """Of the versions of an environment the last one."""
    last: dict[tuple[str | None, str], EnvSpec] = {}
    for spec in specs:
        before = last.get((spec.namespace, spec.name))
        if before is None or (spec.version or 0) > (before.version or 0):
            last[spec.namespace, spec.name] = spec
    return list(last.values())


def tried(env_id: str, args: Args, wrapper: tuple[str, ...]) -> dict[str, Any]:
    """What became of an id: works, cannot be made, or cannot be trained, and why."""
    begun, spaces, outcome, reason = time.perf_counter(), ["", ""], "cannot be made", ""
    try:
        with limit(args.seconds), warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            env = make_env(env_id, {})
            spaces = [" ".join(str(space).split()) for space in (env.observation_space, env.action_space)]
            env.close()
            outcome = "cannot be trained"
            trained(env_id, args.steps, wrapper)
            outcome = "works"
    except (UsageError, EnvironmentFault) as error:
        reason = str(error)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    seconds = round(time.perf_counter() - begun, 1)
    return {"outcome": outcome, "reason": " ".join(reason.split())[:300], "spaces": spaces, "seconds": seconds}


def trained(env_id: str, steps: int, wrapper: tuple[str, ...]) -> None:
    """Train one agent; raises what goes wrong."""
    config = override(preset(env_id, "rstdp-et"), {**SHORT, "total_steps": steps, "wrapper": wrapper})
    with tempfile.TemporaryDirectory() as folder, Training(config, Path(folder)) as training:
        training.run()
        if not all(bool(torch.isfinite(tensor).all()) for tensor in training.agent.tensors().values()):
            raise FloatingPointError("the agent's state is not finite")


@contextlib.contextmanager
def limit(seconds: int) -> Iterator[None]:
    """Raise TooSlow in what takes longer."""

    def over(*_: object) -> None:
        raise TooSlow(f"takes longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def page(report: dict[str, Any]) -> str:
    """compat.md."""
    results, versions = report["results"], report["versions"]
    outcomes = ("works", "cannot be made", "cannot be trained")
    rows = []
    for name, version in versions.items():
        of = [result["outcome"] for result in results if result["package"] == name]
        rows.append(f"| {name} {version} | {' | '.join(str(of.count(outcome)) for outcome in outcomes)} |")
    failed = [
        f"| `{r['id']}` | {r['outcome']} | {r['reason'].replace('|', '/')} |"
        for r in results
        if r["outcome"] != "works"
    ]
    return "\n".join(
        [
            "# Which environments work",
            "",
            "Each id was made and trained for a moment with the default settings, or its preset; nothing is said here of",
            "whether it is *learnt*. Of several versions only the newest was tried; those of mo_gymnasium with",
            "`--wrapper mo_gymnasium.wrappers:LinearReward`.",
            f"Made by `{report['command']}`; every id with its spaces and seconds is in [compat.json](compat.json).",
            "",
            "| | works | cannot be made | cannot be trained |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            *(["| id | | why |", "| --- | --- | --- |", *failed, ""] if failed else []),
        ]
    )  # fmt: skip


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
