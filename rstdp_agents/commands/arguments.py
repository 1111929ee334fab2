"""What the commands share: how their arguments are read, and those that all have which load agents."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import tyro

Args = TypeVar("Args")


@dataclass(frozen=True, kw_only=True)
class AgentArgs:
    """Trained agents, from a file."""

    run: tyro.conf.Positional[Path]
    """Run folder, whose last checkpoint is taken, or a checkpoint."""
    device: str | None = None
    """Torch device; the run's own if none is given."""
    trust: bool = False
    """Import the code that the run names beyond Gymnasium and this package (environment, wrapper, rule, ...). Say so only of
    runs whose maker you trust as you would the author of a program: that code can do whatever you can."""


def parse(kind: type[Args], command: str, argv: list[str], description: str | None) -> Args:
    """Arguments of a command as its dataclass."""
    return tyro.cli(kind, prog=f"{os.path.basename(sys.argv[0])} {command}", args=argv, description=description)
