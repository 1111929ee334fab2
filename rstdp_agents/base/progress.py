"""Progress: a bar that moves with time, and what it is waiting for.

On a terminal it is tqdm's bar; in a file (a job's log, for instance) it is one line a minute.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from tqdm import tqdm

EVERY = 0.5
"""Seconds between two updates of a bar on a terminal."""
EVERY_LINE = 60.0
"""Seconds between two lines in a file."""

clock = time.monotonic
_shown: list[Bar] = []
"""The bars in progress, the innermost last."""


class Bar:
    """The progress of something, from ``done`` to ``total``; a context manager. A bar within another appears below it.

    what: description of the work. shown: False for silence. stays: whether the last update remains, on the terminal or in the
    file. A loop asks `due` in every iteration, which costs almost nothing, and calls `move` when it is.
    """

    def __init__(
        self, total: int, unit: str, what: str = "", done: int = 0, *, shown: bool = True, stays: bool = False
    ) -> None:
        self.total, self.done, self.note, self.stays = max(total, done), done, "", stays
        self.shown = shown and bool(sys.stderr)  # there may be none
        self._whats, self._first, self._began = [what], done, clock()
        pen = _Terminal if self.shown and sys.stderr.isatty() else _File
        self._pen, self.next = pen(self, f" {unit}", sys.stderr), math.inf

    def __enter__(self) -> Bar:
        if self.shown:
            _shown.append(self)
            self.next = clock() + self._pen.every
            if self.stays and self._pen.live:
                self.draw()
        return self

    def __exit__(self, *_: object) -> None:
        if self.shown:
            self._pen.close()
            _shown.remove(self)

    @property
    def what(self) -> str:
        """Description of the current work."""
        return self._whats[-1]

    @property
    def first(self) -> int:
        """The progress at the start."""
        return self._first

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return clock() - self._began

    def due(self) -> bool:
        """Whether it is time for an update."""
        return clock() >= self.next

    def move(self, done: int, note: str = "") -> None:
        """Show the progress and a note; in a file only when an update is due."""
        self.done, self.note = done, note
        if self.shown and (self._pen.live or self.due()):
            self.draw()

    def draw(self) -> None:
        """Show the bar now."""
        self.next = clock() + self._pen.every
        self._pen.draw()

    def begin(self, what: str, long: bool = False) -> None:
        """Say what the bar is waiting for; in a file only if that takes ``long``."""
        self._whats.append(what)
        if long or self._pen.live:
            self.draw()

    def end(self) -> None:
        """End the wait that `begin` announced last."""
        self._whats.pop()
        if self._pen.live:
            self.draw()


def begin(what: str, long: bool = False) -> None:
    """`Bar.begin` of the innermost bar, if there is one."""
    if _shown:
        _shown[-1].begin(what, long)


def end() -> None:
    """`Bar.end` of the innermost bar, if there is one."""
    if _shown:
        _shown[-1].end()


def wait() -> None:
    """Show that time passes on the innermost bar, if there is one and an update is due."""
    if _shown and _shown[-1].due():
        _shown[-1].draw()


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Say what the innermost bar is waiting for."""
    begin(what)
    try:
        yield
    finally:
        end()


class _Terminal:
    """A bar that is redrawn, from its first update on."""

    every, live = EVERY, True

    def __init__(self, bar: Bar, unit: str, file: TextIO) -> None:
        self._of, self._unit, self._file = bar, unit, file
        self._bar: tqdm | None = None

    def draw(self) -> None:
        bar, here = self._of, self._bar
        if here is None:
            here = self._bar = tqdm(
                total=bar.total, initial=bar.first, desc=bar.what, unit=self._unit, leave=bar.stays, file=self._file,
                dynamic_ncols=True, mininterval=0, miniters=0,
            )  # fmt: skip
            here.start_t -= bar.seconds
        here.set_description_str(bar.what, refresh=False)
        here.set_postfix_str(bar.note, refresh=False)
        here.update(bar.done - here.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _File:
    """One line per update."""

    every, live = EVERY_LINE, False

    def __init__(self, bar: Bar, unit: str, file: TextIO) -> None:
        self._of, self._unit, self._file = bar, unit, file

    def draw(self) -> None:
        bar = self._of
        text = tqdm.format_meter(
            bar.done,
            bar.total,
            bar.seconds,
            ncols=0,
            prefix=bar.what,
            unit=self._unit,
            postfix=bar.note,
            initial=bar.first,
        )
        print(text.strip(), file=self._file, flush=True)

    def close(self) -> None:
        if self._of.stays:
            self.draw()
