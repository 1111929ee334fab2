"""Ctrl-C and SIGTERM ask a run to finish its step and save; a second Ctrl-C interrupts as usual."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Yields a list that receives the number of the first signal; it stays empty outside the main thread, which gets none."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {int(number): signal.getsignal(number) for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        signal.signal(number, before[number])

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ctrl_c_raises() -> bool:
    """Whether Ctrl-C raises KeyboardInterrupt where this is called: not while `stop_requests` receives it, nor in threads."""
    in_main = threading.current_thread() is threading.main_thread()
    return in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
