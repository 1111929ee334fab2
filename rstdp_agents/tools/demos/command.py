"""Demonstrations as commands."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import tyro


def command(main: Callable[..., Any], description: str | None) -> None:
    """Run ``main`` with the arguments of the command line; errors are one line, with exit code 2."""
    try:
        tyro.cli(main, description=description)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
