"""The output of --help: tyro's options, in groups, each text as wide as the terminal."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from rstdp_agents.base.errors import UsageError

ASKS = ("-h", "--help")
NARROW = 129
"""Columns at which tyro writes one group below the other; from 130 on it sets them side by side."""
INDENT = " " * 6


class Group(NamedTuple):
    """Options that belong together."""

    about: str
    options: list[tuple[str, str]]
    """Each option as it is written, and what it does."""


def asked(argv: list[str]) -> int | None:
    """Index of the word that asks for help, None if there is none."""
    return next((i for i, word in enumerate(argv) if word in ASKS), None)


def page(parse: Callable[[list[str]], Any], argv: list[str]) -> str:
    """The whole help of a command whose arguments ``parse`` takes."""
    head, groups = read(captured(parse, argv))
    return head + "\n".join(draw(name, group) for name, group in groups.items())


def page_of(head: str, groups: Mapping[str, Group], name: str) -> str:
    """The help of one group, or of all, and the names of the others. Raises UsageError if there is no such group."""
    if name == "all":
        return head + "\n".join(draw(each, group) for each, group in groups.items())
    if name not in groups:
        raise UsageError(f"unknown group of options {name!r}; groups are {', '.join(groups)}, all")
    others = ", ".join(each for each in [*groups, "all"] if each != name)
    return f"{head}{draw(name, groups[name])}\n" + fill(f"other groups, by --help GROUP: {others}")


def captured(parse: Callable[[list[str]], Any], argv: list[str]) -> str:
    """What tyro prints for --help."""
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with columns(NARROW), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        parse([*argv, "--help"])
    output.seek(0)
    return output.read()


@contextlib.contextmanager
def columns(number: int) -> Iterator[None]:
    """A terminal with this many columns."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(number)
    try:
        yield
    finally:
        os.environ.pop("COLUMNS") if before is None else os.environ.update(COLUMNS=before)


def read(text: str) -> tuple[str, dict[str, Group]]:
    """From a help text in tyro's boxes: usage and description, and the groups by name."""
    usage, *boxes = re.split(r"(?m)^(?=╭─ )", text)
    paragraphs = [fill(" ".join(words.split())) for words in usage.strip().split("\n\n")]
    found = [box.splitlines() for box in boxes]
    return "\n\n".join(paragraphs) + "\n\n", {
        _name(lines[0]): group([_inner(x) for x in lines[1:-1]]) for lines in found
    }


def group(lines: list[str]) -> Group:
    """The group in a box of these lines."""
    rule = next((i + 1 for i, line in enumerate(lines) if line.startswith("──")), 0)
    options: list[tuple[str, str]] = []
    for line in lines[rule:]:
        if line[:1] not in ("", " "):
            written, _, does = line.partition("  ")
            options.append((written, does.strip()))
        elif options:
            written, does = options[-1]
            options[-1] = written, f"{does} {line.strip()}".strip()
    return Group(" ".join(" ".join(lines[: max(0, rule - 1)]).split()), options)


def draw(name: str, group: Group) -> str:
    """A group in a box as wide as the terminal."""
    inside = width() - 4
    lines = textwrap.wrap(group.about, inside)
    lines += ["─" * inside] if lines else []
    for written, does in group.options:
        lines += textwrap.wrap(written, inside, subsequent_indent="    ", break_on_hyphens=False)
        lines += textwrap.wrap(does, inside, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False)
    title = f"╭─ {name} {'─' * (inside - len(name) - 1)}╮"
    return "\n".join([title, *(f"│ {line:{inside}} │" for line in lines), f"╰{'─' * (inside + 2)}╯"])


def fill(text: str) -> str:
    """Text wrapped to the width of the terminal."""
    return textwrap.fill(text, width(), break_on_hyphens=False)


def width() -> int:
    """Columns of the terminal; at least 40."""
    return max(40, shutil.get_terminal_size().columns)


def _name(top: str) -> str:
    return top.strip("╭╮─ ").removesuffix(" options")


def _inner(line: str) -> str:
    return line.removeprefix("│ ").removesuffix("│").rstrip()
