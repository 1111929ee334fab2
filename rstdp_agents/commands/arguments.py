"""What the commands share: how their arguments are read, and what they ask of optional packages."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, TypeVar

import tyro

from rstdp_agents.errors import UsageError

Args = TypeVar("Args")


def parse(kind: type[Args], command: str, argv: list[str], description: str | None) -> Args:
    """Arguments of a command as its dataclass."""
    return tyro.cli(kind, prog=f"{os.path.basename(sys.argv[0])} {command}", args=argv, description=description)


def optional(module: str, extra: str) -> Any:
    """A module of an optional package. Raises UsageError that says how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: pip install 'rstdp_agents[{extra}]'") from error
