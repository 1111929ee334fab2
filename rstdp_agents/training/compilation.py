"""Announces compilation on the progress bar, which moves meanwhile.

Numba reports every function that it compiles, and nothing when it loads from its cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event as events

from rstdp_agents.base import progress
from rstdp_agents.base.compiled import ENTRIES

SECONDS = {"kernel": 20}
"""Compile time of the slow one on an idle machine (s)."""


class Listener(events.Listener):
    """Announces on the bar that one of `ENTRIES` is being compiled."""

    def on_start(self, event: Any) -> None:
        """Announce it; of what it calls, let time pass on the bar."""
        name = _entry(event)
        if not name:
            progress.wait()
        else:
            progress.begin(f"compiling once, about {SECONDS.get(name, 1)} s", long=name in SECONDS)

    def on_end(self, event: Any) -> None:
        """Withdraw the announcement."""
        if _entry(event):
            progress.end()


@contextmanager
def said() -> Iterator[None]:
    """Announce compilation within this context."""
    with events.install_listener("numba:compile", Listener()):
        yield


def _entry(event: Any) -> str:
    """Name of the entry that is compiled; empty for any other function."""
    function = event.data["dispatcher"].py_func
    return function.__name__ if f"{function.__module__}.{function.__qualname__}" in ENTRIES else ""
