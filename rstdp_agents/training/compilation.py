"""Compilation, said while one waits for it; numba tells when it compiles, and nothing where it finds its work on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event as events

from rstdp_agents.base import progress
from rstdp_agents.base.compiled import ENTRIES

SECONDS = {"step": 20, "act": 5}
"""That the slow ones take on an idle machine."""


class Listener(events.Listener):
    """Says on the bar that one of `ENTRIES` is compiled."""

    def on_start(self, event: Any) -> None:
        """Say so."""
        name = _entry(event)
        if name:
            progress.begin(f"compiling once, about {SECONDS.get(name, 1)} s", long=name in SECONDS)

    def on_end(self, event: Any) -> None:
        """Say so no longer."""
        if _entry(event):
            progress.end()


@contextmanager
def said() -> Iterator[None]:
    """Within this, compilation is said."""
    with events.install_listener("numba:compile", Listener()):
        yield


def _entry(event: Any) -> str:
    """Which of our entries it is; empty for any other function."""
    function = event.data["dispatcher"].py_func
    return function.__name__ if f"{function.__module__}.{function.__qualname__}" in ENTRIES else ""
