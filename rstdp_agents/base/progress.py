"""What is said while one waits: a bar that moves with time, and what keeps it from moving.

On a terminal it is tqdm's bar; in a file, of a job for instance, it is a line a minute.
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
"""Seconds between two looks of a bar on a terminal."""
EVERY_LINE = 60.0
"""Seconds between two lines in a file."""

clock = time.monotonic
_shown: list[Bar] = []
"""Those that are under way, the innermost last."""


class Bar:
    """How far something has come, from ``done`` to ``total``; a context. One within another stands below it.

    what: what is done, in words. shown: False for silence. stays: whether its last look is left, on the terminal or in the file.
    A loop asks `due` in every turn, which costs nearly nothing, and calls `move` where it is.
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
        """What is done now."""
        return self._whats[-1]

    @property
    def first(self) -> int:
        """How far it had come when this began."""
        return self._first

    @property
    def seconds(self) -> float:
        """Since this began."""
        return clock() - self._began

    def due(self) -> bool:
        """Whether it is time to move."""
        return clock() >= self.next

    def move(self, done: int, note: str = "") -> None:
        """Show how far it has come, and what else there is to know; in a file only where it is due."""
        self.done, self.note = done, note
        if self.shown and (self._pen.live or self.due()):
            self.draw()

    def draw(self) -> None:
        """Show it as it is."""
        self.next = clock() + self._pen.every
        self._pen.draw()

    def begin(self, what: str, long: bool = False) -> None:
        """Say what it waits for, in a file only where that is ``long``."""
        self._whats.append(what)
        if long or self._pen.live:
            self.draw()

    def end(self) -> None:
        """It no longer waits for what it said last."""
        self._whats.pop()
        if self._pen.live:
            self.draw()


def begin(what: str, long: bool = False) -> None:
    """As `Bar.begin` of the innermost bar, if there is one."""
    if _shown:
        _shown[-1].begin(what, long)


def end() -> None:
    """As `Bar.end` of the innermost bar, if there is one."""
    if _shown:
        _shown[-1].end()


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Say what the innermost bar waits for."""
    begin(what)
    try:
        yield
    finally:
        end()


class _Terminal:
    """A bar that is drawn over and over, from its first look on."""

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
    """A line for each look."""

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
