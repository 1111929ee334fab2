"""Standard streams that never stop the work: output to a missing stream, or one that nobody reads any more, is dropped."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any

GONE = (errno.EPIPE, errno.EIO)
"""Errors of a write whose reader or terminal is gone."""


def secure() -> None:
    """Make sure that all three standard streams exist and that the two for output drop what nobody can read."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if not is_open(descriptor):
            os.open(
                os.devnull, os.O_RDWR
            )  # takes the lowest number that is free: the next file of a run must not get it
        stream, original = getattr(sys, name), getattr(sys, f"__{name}__")
        if stream is None:
            setattr(sys, name, open(os.devnull, "w" if descriptor else "r"))  # noqa: SIM115 (stays open)
        elif descriptor and stream is original:
            setattr(sys, name, patient(stream))


def is_open(descriptor: int) -> bool:
    """Whether a descriptor is open."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def patient(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """A copy of a text stream, over `Patient`; it writes a question mark for a character that its encoding lacks."""
    raw = getattr(stream.buffer, "raw", stream.buffer)
    if not isinstance(raw, io.FileIO):  # a console of Windows
        return stream
    mine = Patient(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        mine if raw is stream.buffer else io.BufferedWriter(mine),  # unbuffered under python -u
        stream.encoding, "replace", line_buffering=stream.line_buffering, write_through=stream.write_through,
    )  # fmt: skip


class Patient(io.FileIO):
    """A file that turns into the null device once nobody reads it."""

    def write(self, content: Any) -> int:
        """Write; returns the number of bytes."""
        try:
            return super().write(content) or 0
        except OSError as error:
            if error.errno not in GONE:
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
            return len(content)
