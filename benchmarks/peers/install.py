"""The peers' environment: torch first, at one version, then each library without its own opinion on torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TORCH = "torch==2.13.0"
SHARED = ("numpy", "gymnasium>=1.1")
PLOTTING = ("matplotlib", "scipy", "tqdm")


@dataclass(frozen=True)
class Peer:
    """A library to install."""

    module: str
    """File of this folder."""
    requirement: str
    """Installed without its dependencies: their pins clash, with each other or with `TORCH`."""
    needs: tuple[str, ...]
    """What its import asks for."""
    bare: tuple[str, ...] = ()
    """The same, but also without dependencies."""


PEERS = {
    "BindsNET": Peer(
        "bindsnet",
        "bindsnet==0.3.4",
        (*PLOTTING, "pandas", "scikit-learn", "scikit-image", "opencv-python-headless", "tensorboardX", "ale-py"),
        ("torchvision==0.28.0",),
    ),
    "SpikingJelly": Peer(
        "spikingjelly",
        "spikingjelly==2.0.0",
        (*PLOTTING, "h5py", "loguru<1", "packaging", "requests", "SciencePlots", "tensorboard"),
    ),
    "Inferno": Peer("inferno", "inferno-ai==0.0.5", ("einops>=0.7",)),
    "SPAIC": Peer("spaic", "SPAIC==0.6.3", (*PLOTTING, "h5py", "pyyaml")),
}


def python_of(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def install(folder: Path, log: Path) -> dict[str, str]:
    """Make the environment, or what is missing of it. Returns why a peer could not be installed, by name."""
    python = python_of(folder)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    constraint = folder / "constraint.txt"
    constraint.write_text(TORCH + "\n")

    def pip(*arguments: str) -> str:
        """Run pip; returns its last error, or nothing."""
        command = [python, "-m", "pip", "install", "--disable-pip-version-check", "-c", constraint, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        with log.open("a") as file:
            file.write(f"pip install {' '.join(arguments)}\n{done.stdout}{done.stderr}\n")
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        return "" if done.returncode == 0 else (errors or ["pip failed"])[-1]

    failed = _once(folder, "shared", (TORCH, *SHARED), lambda: pip(TORCH) or pip(*SHARED))
    if failed:
        return {name: failed for name in PEERS}
    reasons = {}
    for name, peer in PEERS.items():
        wanted = (peer.requirement, *peer.bare, *peer.needs)

        def steps(peer: Peer = peer) -> str:
            return pip(*peer.needs) or pip("--no-deps", *peer.bare, peer.requirement)

        if reason := _once(folder, peer.module, wanted, steps):
            reasons[name] = reason
    return reasons


def _once(folder: Path, name: str, wanted: tuple[str, ...], steps: Callable[[], str]) -> str:
    """Run ``steps`` unless they went well before for the same wishes; returns the reason of a failure, or nothing."""
    mark = folder / f"{name}.installed"
    if mark.exists() and mark.read_text().split("\n") == list(wanted):
        return ""
    print(f"installing {', '.join(wanted)} into {folder} ...", flush=True)
    reason = steps()
    if not reason:
        mark.write_text("\n".join(wanted))
    return reason
