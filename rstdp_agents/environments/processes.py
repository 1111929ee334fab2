"""Every environment in a process of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable
from functools import partial
from multiprocessing.connection import wait
from typing import Any

from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from gymnasium.vector.async_vector_env import AsyncState

from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.environments.make import make_env
from rstdp_agents.environments.replay import ROOM, Replayable
from rstdp_agents.environments.source import EnvSource
from rstdp_agents.errors import EnvironmentFault
from rstdp_agents.signals import SIGNALS
from rstdp_agents.spaces.observations import ARRAYS

BROKEN = (EOFError, BrokenPipeError, ConnectionResetError)
"""What a pipe says whose other end is gone."""


class Processes(AsyncVectorEnv):
    """``rows`` envs in as many processes, which start finished episodes again in the same step.

    Observations that are arrays come through memory they share, others through pipes.
    """

    def __init__(self, source: EnvSource, kwargs: dict[str, Any], rows: int) -> None:
        self._broken = False
        makers = [partial(_make, os.getpid(), i, rows, source, kwargs) for i in range(rows)]
        one = makers[0]()
        arrays = isinstance(one.observation_space, ARRAYS)
        one.close()
        super().__init__(makers, autoreset_mode=AutoresetMode.SAME_STEP, shared_memory=arrays)

    def step(self, actions: Any) -> Any:
        """As `AsyncVectorEnv.step`. Raises EnvironmentFault where an env raised, or a process has ended."""
        try:
            return super().step(actions)
        except BROKEN as error:
            self._state, self._broken = AsyncState.DEFAULT, True  # nothing more will come
            ended = wait([process.sentinel for process in self.processes], timeout=10)
            [process.join(10) for process in self.processes if process.sentinel in ended]
            codes = {i: process.exitcode for i, process in enumerate(self.processes) if process.exitcode is not None}
            which = ", ".join(f"env {i} (exit code {code})" for i, code in codes.items())
            raise EnvironmentFault(f"a process has ended: that of {which or 'an env'}") from error

    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        """End all processes; by force where one has ended already, for then the others wait."""
        super().close_extras(timeout, terminate or self._broken)

    def _raise_if_errors(self, successes: Iterable[bool]) -> None:
        """What an env raised in its process, in one line: the traceback that `AsyncVectorEnv` prints stays there."""
        failed = [self.error_queue.get() for success in successes if not success]
        if not failed:
            return
        index, kind, error, _ = min(failed, key=lambda one: one[0])
        self._state, self._broken = AsyncState.DEFAULT, True
        what = str(error) if kind is EnvironmentFault else f"{kind.__name__}: {error}"
        raise EnvironmentFault(f"env {index}: {what}")

    def snapshot(self) -> Any:
        """As `Replayable.snapshot`, of every env."""
        return list(self.call("snapshot"))

    def learnt(self) -> list[Learnt]:
        """As `Replayable.learnt`, of every env. Raises EnvironmentFault where a process is gone."""
        if self._broken:
            raise EnvironmentFault("a process has ended")
        return list(self.call("learnt"))

    def teach(self, learnt: list[Learnt]) -> None:
        """As `learnt.teach`, for every env."""
        self.call("teach", learnt)

    def resume(self, snapshots: Any) -> tuple[str, ...]:
        """As `Replayable.repeat`, of every env."""
        return self.call("repeat", snapshots)


def _make(parent: int, index: int, rows: int, source: EnvSource, kwargs: dict[str, Any]) -> Replayable:
    """One env; in a process of its own, signals are left to the parent, which then ends it."""
    if os.getpid() != parent:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return Replayable(make_env(source, kwargs), index, ROOM // rows)
