"""Which environments work: every id that Gymnasium knows of, and of the packages that are installed, is trained for a moment.

python -m benchmarks.compat                                          all that is installed; tables in docs/results
python -m benchmarks.compat --packages gymnasium minigrid --out x    some packages, into another folder

An id works if it is made, trained for 200 env steps, and the state of the agent stays finite. Of ids that differ in nothing but
their version only the newest is tried. The tables are written after each package; those of other packages stay as they are.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import re
import signal
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
import tyro
from gymnasium.envs.registration import EnvSpec

from benchmarks.machine import describe
from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.base.settings import override
from rstdp_agents.environments import make_env
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports.tables import table

PLUGINS = ("minigrid", "ale_py", "highway_env", "popgym", "mo_gymnasium", "neurogym")
"""Packages that register environments when they are imported."""
WRAPPERS = {"mo_gymnasium": ("mo_gymnasium.wrappers:LinearReward",)}
"""What a package's environments need to be learnt by one number."""
PLACES = re.compile(r"(?<![\w:/.])/(?:[^'\"]*?/site-packages/|(?:[\w.+-]+/)+)| at 0x[0-9a-f]+")
"""Where a file lies on this machine, in front of its name, or an object in its memory."""
SHORT = {"eval_episodes": 0, "images": 0, "progress": False}


class TooSlow(Exception):
    """Raised in what takes longer than it may."""


@dataclass(frozen=True)
class Args:
    """What to try."""

    packages: tuple[str, ...] = ("gymnasium", "rstdp_envs", *PLUGINS)
    """Packages whose ids are tried, as far as they are installed."""
    steps: int = 200
    """Env steps of training."""
    seconds: int = 60
    """Time limit for an id."""
    every: int = 1
    """Try only every Nth id of a package."""
    out: Path = Path("docs/results")
    """Folder for compat.md and compat.json."""


def main(args: Args) -> None:
    versions = {name: version for name in args.packages if (version := imported(name)) is not None}
    groups: dict[str, list[EnvSpec]] = defaultdict(list)
    for spec in newest(list(gym.registry.values())):
        groups[package(spec)].append(spec)
    trained("CartPole-v1", args.steps, ())  # compiles what is compiled, which counts for no id
    for name, version in versions.items():
        results = []
        for spec in groups[name][:: args.every]:
            results.append({"id": spec.id, **tried(spec.id, args, WRAPPERS.get(name, ()))})
            print(f"{name:12} {spec.id:45} {results[-1]['outcome']} {results[-1]['reason']}", flush=True)
        limits = f"--steps {args.steps} --seconds {args.seconds} --every {args.every}"
        command = f"python -m benchmarks.compat --packages {name} {limits}"
        group = {"version": version, "command": command, "machine": describe(), "ids": len(groups[name])}
        write(args.out, name, {**group, "results": results})


def write(out: Path, name: str, group: dict[str, Any]) -> None:
    """Put the results of a package into the tables of a folder, which keep those of the others."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / "compat.json"
    report = (json.loads(file.read_text()) if file.exists() else {}) | {name: group}
    file.write_text(json.dumps(report, indent=1) + "\n")
    (out / "compat.md").write_text(page(report))


def imported(name: str) -> str | None:
    """Version of a package, which now has registered what it has; None where it is not installed."""
    try:
        importlib.import_module(name)
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""  # a folder of this repository
    except ImportError:
        return None


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
            spaces = [str(env.observation_space), str(env.action_space)]
            env.close()
            outcome = "cannot be trained"
            trained(env_id, args.steps, wrapper)
            outcome = "works"
    except (UsageError, EnvironmentFault) as error:
        reason = str(error)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
    seconds = round(time.perf_counter() - begun, 1)
    return {
        "outcome": outcome,
        "reason": short(reason),
        "spaces": [short(space) for space in spaces],
        "seconds": seconds,
    }


def short(text: str, most: int = 300) -> str:
    """A text in one line, without places on this machine."""
    line = PLACES.sub("", " ".join(text.split()))
    return line if len(line) <= most else f"{line[:most]} ..."


def trained(env_id: str, steps: int, wrapper: tuple[str, ...]) -> None:
    """Train one agent; raises what goes wrong."""
    config = override(preset(env_id, "rstdp-et", wrapper=wrapper), {**SHORT, "total_steps": steps, "wrapper": wrapper})
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
    outcomes, rows, failed = ("works", "cannot be made", "cannot be trained"), [], []
    for name, group in report.items():
        of = [result["outcome"] for result in group["results"]]
        counts = [group["ids"], len(of), *map(of.count, outcomes)]
        rows.append([f"{name} {group['version']}".strip(), *map(str, counts)])
        failed += [
            [f"`{r['id']}`", r["outcome"], r["reason"].replace("|", "/")]
            for r in group["results"]
            if r["outcome"] != "works"
        ]
    return f"""# Which environments work

Each id was made and trained briefly with the default settings; this does not say whether agents *learn* it.
Only the newest version of each environment counts; those of mo_gymnasium were trained with
`--wrapper mo_gymnasium.wrappers:LinearReward`. Where fewer ids were tried than exist, they are evenly spaced. Produced by
`python -m benchmarks.compat`, package by package; the commands, and every id with its spaces and seconds, are in
[compat.json](compat.json).

{table(["package", "ids", "tried", *outcomes], rows)}

{table(["id", "", "why"], failed)}
"""


if __name__ == "__main__":
    main(tyro.cli(Args, description=__doc__))
