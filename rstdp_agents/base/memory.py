"""The memory of this machine, checked before any is allocated."""

from __future__ import annotations

import math
import os
from pathlib import Path

from rstdp_agents.base.errors import UsageError


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
