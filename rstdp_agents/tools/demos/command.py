"""Demonstrations as commands."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tyro
from matplotlib.figure import Figure


def command(main: Callable[..., Any], description: str | None) -> None:
    """Run ``main`` with the arguments of the command line; errors are one line, with exit code 2."""
    try:
        tyro.cli(main, description=description)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def keep(out: Path, figure: Figure, figures: Any, dpi: int = 120) -> None:
    """Write a picture to ``out`` (PNG), and beside it, as JSON, what it shows."""
    out = out.expanduser()
    figure.savefig(out, dpi=dpi)
    out.with_suffix(".json").write_text(json.dumps(figures) + "\n")
