"""Shared by the commands: reading arguments, the options of all commands that load agents, and this program's name."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import tyro

from rstdp_agents.tools.commands import helptext

Args = TypeVar("Args")


@dataclass(frozen=True, kw_only=True)
class AgentArgs:
    """Trained agents, from a file."""

    run: tyro.conf.Positional[Path]
    """Run folder (its last checkpoint is used), or a checkpoint."""
    device: str | None = None
    """Torch device; by default the run's own."""
    trust: bool = False
    """Import the code that the run names beyond Gymnasium and this package (environment, wrapper, rule, ...). Use it only for
    runs whose maker you trust as you would the author of a program: that code can do whatever you can."""


def parse(kind: type[Args], command: str, argv: list[str], description: str | None) -> Args:
    """Arguments of a command as its dataclass, with ~ in paths replaced. For --help, shows the help and exits."""
    read = partial(tyro.cli, kind, prog=f"{name()} {command}", description=description)
    place = helptext.asked(argv)
    if place is not None:
        print(helptext.page(lambda words: read(args=words), argv[:place]))
        raise SystemExit(0)
    return at_home(read(args=argv))


def at_home(args: Args, texts: Sequence[str] = ()) -> Args:
    """A dataclass of arguments with ~ replaced in its paths, and in the fields ``texts``, which hold paths as text."""
    values = {field.name: getattr(args, field.name) for field in fields(args)}  # pyright: ignore[reportArgumentType]
    changed = {name: _home(value, name in texts) for name, value in values.items()}
    return replace(args, **{name: value for name, value in changed.items() if value != values[name]})  # pyright: ignore


def _home(value: Any, is_path: bool) -> Any:
    if isinstance(value, tuple):
        return tuple(_home(each, is_path) for each in value)
    if isinstance(value, Path):
        return Path(os.path.expanduser(value))
    return os.path.expanduser(value) if is_path else value


def name() -> str:
    """The short name of this program, for usage lines."""
    script = os.path.basename(sys.argv[0])
    return program() if script == "__main__.py" else script


def program() -> str:
    """How this program was called, so that it can be called again."""
    return called(sys.orig_argv, sys.argv)


def called(original: list[str], argv: list[str]) -> str:
    """The part of a command line before its arguments ``argv[1:]``: `python train.py`, `python -m module`, or a script's name.

    original: the line as Python got it, with the interpreter (for an installed script, the one that the system added).
    """
    script, before = argv[0], original[: len(original) - len(argv) + 1]
    if before[-2:-1] == ["-m"] or (script.endswith(".py") and before[-1:] == [script]):
        return shlex.join(before)
    return f"python {shlex.quote(script)}" if script.endswith(".py") else "rstdp-train"
