"""The folder of a run: who may write to it, and what it says of itself to others."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from rstdp_agents import escape
from rstdp_agents.config import RunConfig
from rstdp_agents.episodes import of_episodes
from rstdp_agents.errors import UsageError
from rstdp_agents.runs.files import write_whole
from rstdp_agents.versions import version

LOCK = ".lock"
SETTINGS = "config.json"
PACKAGE = Path(__file__).resolve().parent.parent
"""The folder of this package."""
PACKAGES = ("rstdp_agents", "torch", "numpy", "numba", "gymnasium", "safetensors", "tensorboard")


def hold(folder: Path) -> FileLock:
    """Make the folder and hold it; the lock ends with this process, however that ends.

    Raises UsageError while another run holds it, OSError where it cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise UsageError(f"another run is writing to {folder}: wait for it, or give another --run-dir") from error
    return lock


def has_begun(folder: Path) -> bool:
    """Whether a run has begun in the folder."""
    return (folder / SETTINGS).exists()


def write_settings(folder: Path, config: RunConfig) -> None:
    """Write config.json and environment.txt."""
    write_whole(folder / SETTINGS, json.dumps(asdict(config), indent=2) + "\n")
    write_whole(folder / "environment.txt", "".join(f"{name}: {value}\n" for name, value in environment().items()))


def environment() -> dict[str, str]:
    """What runs, and where: command, versions, commit and machine."""
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
    """The commit of the clone that the package is in, with a + where files differ from it; empty where git keeps no such file.

    So a package that is installed somewhere inside another repository has none.
    """
    try:
        git(package, "ls-files", "--error-unmatch", "__init__.py")
        return git(package, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+")
    except (OSError, subprocess.SubprocessError):
        return ""


def git(folder: Path, *arguments: str) -> str:
    """What git says of the work tree around a folder, wherever a hook that started us may point it to. Raises SubprocessError."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    line = ["git", "-C", str(folder), *arguments]
    return subprocess.run(line, capture_output=True, text=True, timeout=10, check=True, env=env).stdout.strip()


def processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def write_card(folder: Path, config: RunConfig, summary: dict[str, Any]) -> None:
    """Write README.md, the model card: what was trained, how well it does, how to use it."""
    rows = [
        f"| {a['seed']} | {a['episodes']} | {_number(a['final_mean'])}{of_episodes(a['episodes'])} "
        f"| {_score(a['eval_greedy'])} "
        f"| {_score(a['eval_stochastic'])} |"
        for a in summary["agents"]
    ]
    names = {"env": config.env, "rule": config.agent.rule, "modulator": config.agent.modulator}
    escaped = {name: escape.markdown(value) for name, value in names.items()}
    card = CARD.format(**escaped, tag=escape.yaml(config.env), config=config, rows="\n".join(rows))
    write_whole(folder / "README.md", card)


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

Returns; mean +- standard deviation over evaluation episodes in environments of their own. `config.json` holds every
setting, `environment.txt` versions and machine, `monitor.csv` every training episode, `evaluations.npz` the evaluations in the
format of Stable-Baselines3, `checkpoints/` and `best/` the agents (safetensors). Train on, where rstdp_agents is installed:

    rstdp-train --resume RUN --total-steps {config.total_steps}
"""
