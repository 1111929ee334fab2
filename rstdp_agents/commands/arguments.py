"""What the commands share: how their arguments are read."""

from __future__ import annotations

import os
import sys
from typing import TypeVar

import tyro

Args = TypeVar("Args")


def parse(kind: type[Args], command: str, argv: list[str], description: str | None) -> Args:
    """Arguments of a command as its dataclass."""
    return tyro.cli(kind, prog=f"{os.path.basename(sys.argv[0])} {command}", args=argv, description=description)
