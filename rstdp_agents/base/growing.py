"""Files that only grow, and that can be cut back to what they were at a checkpoint, whatever has become of them since."""

from __future__ import annotations

import logging
import os
import zlib
from itertools import count
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)

ASIDE = ".aside"
"""What the name of a file ends with that was put aside."""
CHUNK = 1 << 20


class Extent(NamedTuple):
    """How far a file has been written."""

    size: int = 0
    """Bytes."""
    crc: int = 0
    """Their CRC-32."""


class Growing:
    """A file that is written to from its end on. extent: how far it has been written; with nothing, it is made anew."""

    def __init__(self, path: Path, extent: Extent = Extent()) -> None:  # noqa: B008 (a constant)
        self._file = open(path, "ab" if extent.size else "xb", buffering=1 << 16)  # noqa: SIM115 (kept open)
        self._extent = extent

    def write(self, data: bytes) -> int:
        """Append bytes."""
        self._file.write(data)
        self._extent = Extent(self._extent.size + len(data), zlib.crc32(data, self._extent.crc))
        return len(data)

    def flush(self) -> None:
        """Hand all to the system."""
        self._file.flush()

    def sync(self) -> Extent:
        """See all of it onto the disk; returns how far that is."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._extent

    def close(self) -> None:
        """Write the rest and close the file."""
        self._file.close()


def cut_back(path: Path, extent: Extent) -> bool:
    """Make a file end where it ended; False, and nothing is done, where it does not begin with what it held then."""
    if path.is_symlink() or not path.is_file() or extent_of(path, extent.size) != extent:
        return False
    if path.stat().st_size > extent.size:
        os.truncate(path, extent.size)
    return True


def extent_of(path: Path, size: int) -> Extent:
    """Of the first ``size`` bytes of a file, or of all where it has fewer."""
    left, crc = size, 0
    with open(path, "rb") as file:
        while left and (data := file.read(min(left, CHUNK))):
            left, crc = left - len(data), zlib.crc32(data, crc)
    return Extent(size - left, crc)


def put_aside(path: Path, lost: str) -> None:
    """Give another name to what is not what a run left there, if there is anything, and say what is ``lost`` with it."""
    if os.path.lexists(path):
        logger.warning(
            "%s is not what this run left there, and was put aside as %s: %s", path, renamed(path).name, lost
        )
    else:
        logger.warning("%s is gone: %s", path, lost)


def renamed(path: Path) -> Path:
    """Give a file, a folder or a link a name of its own beside it, by which no program takes it for what it was."""
    names = (f"{path.name.replace('tfevents', 'events')}{ASIDE}{n or ''}" for n in count())
    return path.rename(next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name))))
