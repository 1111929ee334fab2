"""The folder of a run: its lock, its name, and the files that describe it."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import secrets
import shlex
import subprocess
import sys
import time
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from rstdp_agents.base import escape
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.files import PARTIAL, write_whole
from rstdp_agents.base.installation import PACKAGE, version
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.episodes import of_episodes
from rstdp_agents.training.monitoring import monitor_file
from rstdp_agents.training.runs import evaluations
from rstdp_agents.training.runs.checkpoint import NAME, checkpoints

LOCK = ".lock"
SETTINGS = "config.json"
ABOUT = "environment.txt"
RUNS = Path("runs")
"""Where runs without `run_dir` go."""
FILES = (SETTINGS, ABOUT, "summary.json", "README.md", monitor_file.NAME, evaluations.NAME, evaluations.BEST)
"""Files of a run, besides checkpoints and TensorBoard's."""
OWN = re.compile("|".join((*map(re.escape, FILES), rf"checkpoints/{NAME.pattern}", r"events\.out\.tfevents\.[\w.-]+")))
"""Names of all files of a run."""
PACKAGES = ("rstdp_agents", "torch", "numpy", "numba", "gymnasium", "safetensors", "tensorboard")


def hold(folder: Path | None, config: RunConfig) -> tuple[Path, FileLock]:
    """Make the folder of a run (a new one in ``runs`` if None is given) and lock it.

    The lock ends with this process, however that ends. Raises UsageError while another run holds it, OSError if it is not
    writable.
    """
    folder = new_folder(config) if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(f"another run is writing to {folder}: wait for it, or give another --run-dir") from error
    return folder, lock


def new_folder(config: RunConfig) -> Path:
    """Make a new folder in ``runs``, named after the run."""
    name = new_name(config)
    for n in count(1):
        folder = RUNS / (name if n == 1 else f"{name}-{n}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError


def new_name(config: RunConfig) -> str:
    """Name of a run: environment, rule, seed and time, in characters that every file system accepts."""
    words = (config.env, 100), (config.agent.rule, 60), (str(config.seed), 20)
    parts = (short_name(word, most) for word, most in words)
    return "__".join([*parts, time.strftime("%Y-%m-%d_%H-%M-%S")])


def short_name(word: str, most: int) -> str:
    """A word reduced to letters and digits of any script, dot, plus and minus, and to at most ``most`` bytes."""
    plain = re.sub(r"[^\w.+-]+", "-", word).lstrip(".-")
    return plain.encode(errors="ignore")[:most].decode(errors="ignore") or "env"


def has_begun(folder: Path) -> bool:
    """Whether a run has begun in the folder."""
    return (folder / SETTINGS).exists()


def check_unused(folder: Path) -> None:
    """Raise UsageError if a folder holds a run, or files that a run would overwrite."""
    there = [name for name in FILES if os.path.lexists(folder / name)] or checkpoints(folder)
    if there:
        what = "a run" if has_begun(folder) else f"{there[0]}, which a run would overwrite"
        hint = f", or continue it with --resume {folder}" if has_begun(folder) or checkpoints(folder) else ""
        raise UsageError(f"{folder} already holds {what}: give another --run-dir{hint}")


def check_places(folder: Path) -> None:
    """Raise UsageError if something else is in the place of a file or a folder of the run in ``folder``."""
    files = [*(folder / name for name in FILES[:4]), *checkpoints(folder)]
    folders = [folder / "checkpoints", folder / "best"]
    for paths, is_one, kind in ((files, Path.is_file, "file"), (folders, Path.is_dir, "folder")):
        for path in paths:
            if os.path.lexists(path) and not is_one(path):
                raise UsageError(f"{path} must be a {kind}: remove what is in its place")


def clear(folder: Path) -> None:
    """Delete files that were being written when a run in the folder was killed."""
    for name in FILES:
        (folder / f"{name}{PARTIAL}").unlink(missing_ok=True)
    for path in (folder / "checkpoints").glob(f"step_*{PARTIAL}"):
        path.unlink()


def forget(folder: Path, everything: bool) -> None:
    """Delete the results of a run that is resumed; or ``everything`` but its settings, if it starts over."""
    for name in FILES[2:] if everything else FILES[2:4]:
        if (folder / name).is_file():
            (folder / name).unlink()


def new_identity() -> str:
    """A unique identifier for a run."""
    return secrets.token_hex(8)


def identity_of(folder: Path) -> str:
    """Identity of the run in a folder; empty if environment.txt does not say."""
    try:
        lines = (folder / ABOUT).read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.removeprefix("run: ") for line in lines if line.startswith("run: ")), "")


def write_settings(folder: Path, config: RunConfig, run: str) -> None:
    """Write config.json and environment.txt. run: the run's identity."""
    about = {"run": run, **environment()}
    write_whole(folder / SETTINGS, json.dumps(asdict(config), indent=2) + "\n")
    write_whole(folder / ABOUT, "".join(f"{name}: {value}\n" for name, value in about.items()))


def environment() -> dict[str, str]:
    """Command, versions, commit and machine."""
    versions = {name: version(name) for name in PACKAGES}
    return {
        "command": shlex.join(sys.argv),
        "python": platform.python_version(),
        **versions,
        "commit": commit() or "none",
        "system": platform.platform(),
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def commit(package: Path = PACKAGE) -> str:
    """The commit of the clone that holds the package, with a + if files differ from it; empty if git does not track the package.

    So a package that is installed somewhere inside another repository has no commit.
    """
    try:
        git(package, "ls-files", "--error-unmatch", "__init__.py")
        return git(package, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+")
    except (OSError, subprocess.SubprocessError):
        return ""


def git(folder: Path, *arguments: str) -> str:
    """Output of git for the work tree around a folder, whatever a hook set in the environment. Raises SubprocessError."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    line = ["git", "-C", str(folder), *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=10, check=True, env=env).stdout.strip()


def processor() -> str:
    """The processor's name, if the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def write_card(folder: Path, config: RunConfig, summary: dict[str, Any]) -> None:
    """Write README.md, the model card: what was trained, how well it performs, how to use it."""
    rows = [
        f"| {a['seed']} | {a['episodes']} | {_number(a['final_mean'])}{of_episodes(a['episodes'])} "
        f"| {_score(a['eval_greedy'])} "
        f"| {_score(a['eval_stochastic'])} |"
        for a in summary["agents"]
    ]
    names = {"env": config.env, "rule": config.agent.rule, "modulator": config.agent.modulator}
    escaped = {name: escape.markdown(value) for name, value in names.items()}
    found = "\n".join(f"* {escape.markdown(line)}" for line in warnings_of(summary))
    card = CARD.format(**escaped, tag=escape.yaml(config.env), config=config, rows="\n".join(rows))
    card += f"\n## What was wrong at its end\n\n{found}\n" if found else ""
    write_whole(folder / "README.md", card)


def warnings_of(summary: dict[str, Any]) -> list[str]:
    """What is wrong with agents at the end of a run, a line for each failure: "seeds 0, 3: ..."."""
    whose: dict[str, list[int]] = {}
    for agent in summary["agents"]:
        for words in agent.get("warnings", []):  # runs of earlier versions have none
            whose.setdefault(words, []).append(agent["seed"])
    return [f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}: {words}" for words, seeds in whose.items()]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _score(result: dict[str, Any] | None) -> str:
    return "-" if result is None else f"{result['mean']:.2f} +- {result['std']:.2f} ({result['episodes']})"


CARD = """\
---
library_name: rstdp_agents
tags: [reinforcement-learning, spiking-neural-network, {tag}]
---
# {rule} on {env}

{config.agents} spiking agent(s), trained for {config.total_steps} env steps each by reward-modulated local plasticity
({rule}, third factor {modulator}), without backpropagation.

| seed | training episodes | mean of the last 100 | greedy (episodes) | stochastic (episodes) |
| --- | --- | --- | --- | --- |
{rows}

Returns; mean +- standard deviation over evaluation episodes in separate environments. `config.json` holds every
setting, `environment.txt` versions and machine, `monitor.csv` every training episode, `evaluations.npz` the evaluations in the
format of Stable-Baselines3, `checkpoints/` and `best/` the agents (safetensors). To train further, with rstdp_agents installed:

    rstdp-train --resume RUN --total-steps {config.total_steps}
"""
