"""Whole rows of memory at once: slices that numba would set by itself bring the words of their errors into compiled code."""

from __future__ import annotations

from rstdp_agents.base.compiled import jit


@jit()
def fill(row, value):
    """Set all of ``row (n,)``."""
    for i in range(row.shape[0]):
        row[i] = value


@jit()
def copy(source, row):
    """Set ``row (n,)`` to ``source (n,)``."""
    for i in range(row.shape[0]):
        row[i] = source[i]
