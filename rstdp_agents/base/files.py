"""Files that are complete or absent, whatever happens while they are written."""

from __future__ import annotations

import os
from pathlib import Path

PARTIAL = ".partial"
"""Suffix of a file while it is written."""


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file under another name, sync it to disk, and rename it; on an error the old file stays unchanged."""
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(path.name + PARTIAL)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(partial, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Sync the entries of a folder to disk, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
