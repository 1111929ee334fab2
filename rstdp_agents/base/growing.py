"""Files that only grow, and that can be truncated to their state at a checkpoint, whatever happened to them since."""

from __future__ import annotations

import logging
import os
import zlib
from itertools import count
from pathlib import Path
from typing import NamedTuple

logger = logging.getLogger(__name__)

ASIDE = ".aside"
"""Suffix of a file that was put aside."""
CHUNK = 1 << 20


class Extent(NamedTuple):
    """How far a file has been written."""

    size: int = 0
    """Bytes."""
    crc: int = 0
    """Their CRC-32."""


class Growing:
    """A file that is appended to. extent: how far it has been written; if empty, the file is created."""

    def __init__(self, path: Path, extent: Extent = Extent()) -> None:  # noqa: B008 (a constant)
        self._file = open(path, "ab" if extent.size else "xb", buffering=1 << 16)  # noqa: SIM115 (kept open)
        self._extent = extent

    def write(self, data: bytes) -> int:
        """Append bytes."""
        self._file.write(data)
        self._extent = Extent(self._extent.size + len(data), zlib.crc32(data, self._extent.crc))
        return len(data)

    def flush(self) -> None:
        """Pass everything to the system."""
        self._file.flush()

    def sync(self) -> Extent:
        """Sync everything to disk; returns the extent."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._extent

    def close(self) -> None:
        """Write the rest and close the file."""
        self._file.close()


def cut_back(path: Path, extent: Extent) -> bool:
    """Truncate a file to ``extent``; False, and nothing is done, if it does not start with what it held then."""
    if path.is_symlink() or not path.is_file() or extent_of(path, extent.size) != extent:
        return False
    if path.stat().st_size > extent.size:
        os.truncate(path, extent.size)
    return True


def extent_of(path: Path, size: int) -> Extent:
    """Extent of the first ``size`` bytes of a file, or of all if it has fewer."""
    left, crc = size, 0
    with open(path, "rb") as file:
        while left and (data := file.read(min(left, CHUNK))):
            left, crc = left - len(data), zlib.crc32(data, crc)
    return Extent(size - left, crc)


def put_aside(path: Path, lost: str) -> None:
    """Rename a file that is not what the run left there, if there is one, and say what is ``lost`` with it."""
    if os.path.lexists(path):
        logger.warning(
            "%s is not what this run left there, and was put aside as %s: %s", path, renamed(path).name, lost
        )
    else:
        logger.warning("%s is gone: %s", path, lost)


def renamed(path: Path) -> Path:
    """Give a file, a folder or a link a new name beside it, so that no program mistakes it for what it was."""
    names = (f"{path.name.replace('tfevents', 'events')}{ASIDE}{n or ''}" for n in count())
    return path.rename(next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name))))
