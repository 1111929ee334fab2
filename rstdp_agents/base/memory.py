"""The memory of this machine: checked before any is allocated, and in large pages where much of it is used here and there."""

from __future__ import annotations

import contextlib
import ctypes
import math
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rstdp_agents.base.errors import UsageError

LARGE = 2 << 20
"""Bytes of a large page."""
HUGEPAGE, COLLAPSE = 14, 25
"""Advice of Linux's `madvise`: large pages from now on, and for what is there already (since 6.1)."""


def limit() -> float:
    """Bytes that this process may use: the machine's, or its container's if fewer; infinite if unknown."""
    try:
        machine = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        return math.inf
    try:
        own = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return machine
    return min(machine, float(own)) if own.isdecimal() else machine


def require(needed: int, what: str) -> None:
    """Raise UsageError if ``what``, of at least ``needed`` bytes, would take more than this machine has."""
    most = limit()
    if needed > most:
        raise UsageError(
            f"{what} would take {needed // 10**9:,} GB of memory or more; this machine has {most / 1e9:.0f}"
        )


def to_large_pages(arrays: Iterable[np.ndarray]) -> None:
    """Let arrays lie in large pages if the system offers that on demand: whoever reads here and there looks up far fewer pages.

    Nothing happens to small ones, and on systems without them.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):  # another C library
        advise = ctypes.CDLL(None).madvise
        for array in arrays:
            first = -(-array.ctypes.data // LARGE) * LARGE
            size = (array.ctypes.data + array.nbytes) // LARGE * LARGE - first
            for advice in (HUGEPAGE, COLLAPSE) if size > 0 else ():
                advise(ctypes.c_void_p(first), ctypes.c_size_t(size), advice)
