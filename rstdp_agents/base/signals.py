"""Signals that ask a run to finish its step and save; a second Ctrl-C interrupts as usual."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU")
"""Ctrl-C, and the signals that precede SIGKILL: from a system that shuts down, a terminal that closes, a batch system whose
time is up."""
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Yields a list that receives signal numbers; it stays empty outside the main thread, where no signals arrive.

    Signals that this process was started to ignore (nohup) stay ignored.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {int(number): signal.getsignal(number) for number in SIGNALS}
    before = {number: handler for number, handler in before.items() if handler not in (signal.SIG_IGN, None)}

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        if number == signal.SIGINT:  # the user may insist; the others arrive twice if sent to a group of processes
            signal.signal(number, before[number])

    for number in before:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ctrl_c_raises() -> bool:
    """Whether Ctrl-C raises KeyboardInterrupt here: not while `stop_requests` receives it, nor in threads."""
    in_main = threading.current_thread() is threading.main_thread()
    return in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
