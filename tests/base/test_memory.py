"""Large pages."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rstdp_agents.base import memory
from rstdp_agents.base.memory import LARGE, to_large_pages


def kilobytes_in_large_pages():
    """Of the process, as Linux tells."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("AnonHugePages:"))


def offered():
    """Whether the system gives large pages on demand."""
    try:
        return "[never]" not in Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not offered(), reason="no large pages here")
def test_arrays_that_are_large_move_to_large_pages_with_what_they_hold():
    held = np.arange(40 * LARGE // 8)
    before = kilobytes_in_large_pages()
    to_large_pages([held, np.zeros(3)])
    assert kilobytes_in_large_pages() >= max(before, 30 * LARGE // 1024)
    assert np.array_equal(held, np.arange(held.size))


@pytest.mark.parametrize("array", [np.ones(1000), np.ones(0), np.ones(LARGE // 8 + 7)[7:]])
def test_no_advice_is_given_about_what_fills_no_large_page(array, monkeypatch):
    asked = []

    class Library:
        @staticmethod
        def madvise(first, size, advice):
            asked.append((first.value, size.value))

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: Library)
    to_large_pages([array])
    begin, end = array.ctypes.data, array.ctypes.data + array.nbytes
    assert all(begin <= first and first + size <= end and first % LARGE == size % LARGE == 0 for first, size in asked)
    assert not asked or array.nbytes >= LARGE


def test_other_systems_have_none(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(memory.ctypes, "CDLL", None)
    to_large_pages([np.ones(LARGE)])
