"""Every environment in its own process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import TimeoutError
from multiprocessing.connection import wait
from typing import Any

from gymnasium.vector import AsyncVectorEnv, AutoresetMode
from gymnasium.vector.async_vector_env import AsyncState

from rstdp_agents.base.errors import EnvironmentFault
from rstdp_agents.base.signals import SIGNALS
from rstdp_agents.codecs.observation_layout import ARRAYS
from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.environments.make import make_env
from rstdp_agents.environments.replay import ROOM, Replayable
from rstdp_agents.environments.source import EnvSource, name_of

BROKEN = (EOFError, BrokenPipeError, ConnectionResetError)
"""Errors of a pipe whose other end is gone."""


class Processes(AsyncVectorEnv):
    """``rows`` envs in as many processes, which restart finished episodes in the same step.

    Observations that are arrays come through shared memory, others through pipes. timeout: seconds that an answer may take,
    0 for no limit.
    """

    def __init__(self, source: EnvSource, kwargs: dict[str, Any], rows: int, timeout: float = 0.0) -> None:
        self._broken, self._timeout, self.name = False, timeout or None, name_of(source)
        makers = [partial(_make, os.getpid(), i, rows, source, kwargs) for i in range(rows)]
        one = makers[0]()
        arrays = isinstance(one.observation_space, ARRAYS)
        one.close()
        super().__init__(makers, autoreset_mode=AutoresetMode.SAME_STEP, shared_memory=arrays)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> Any:
        """As `AsyncVectorEnv.reset`. Raises EnvironmentFault as `step` does."""
        with self._answers():
            self.reset_async(seed=seed, options=options)
            return self.reset_wait(self._timeout)

    def step(self, actions: Any) -> Any:
        """As `AsyncVectorEnv.step`. Raises EnvironmentFault if an env raised or took too long, or a process has ended."""
        with self._answers():
            self.step_async(actions)
            return self.step_wait(self._timeout)

    @contextmanager
    def _answers(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            late = [str(i) for i, pipe in enumerate(self.parent_pipes) if not pipe.poll()]
            self._broken = True
            what = f"no answer from env {', '.join(late)} within {self._timeout:g} s, the limit set by `env_timeout`"
            raise EnvironmentFault(f"environment {self.name!r}: {what}") from error
        except BROKEN as error:
            self._state, self._broken = AsyncState.DEFAULT, True  # nothing more will come
            ended = wait([process.sentinel for process in self.processes], timeout=10)
            [process.join(10) for process in self.processes if process.sentinel in ended]
            codes = {i: process.exitcode for i, process in enumerate(self.processes) if process.exitcode is not None}
            which = ", ".join(f"env {i} (exit code {code})" for i, code in codes.items())
            raise EnvironmentFault(f"a process has ended: that of {which or 'an env'}") from error

    def close_extras(self, timeout: float | None = None, terminate: bool = False) -> None:
        """End all processes; by force if one has already ended, because then the others wait."""
        super().close_extras(timeout, terminate or self._broken)

    def _raise_if_errors(self, successes: Iterable[bool]) -> None:
        """Raise an env's exception in one line, without the traceback that `AsyncVectorEnv` prints."""
        failed = [self.error_queue.get() for success in successes if not success]
        if not failed:
            return
        index, kind, error, _ = min(failed, key=lambda one: one[0])
        self._state, self._broken = AsyncState.DEFAULT, True
        what = str(error) if kind is EnvironmentFault else f"{kind.__name__}: {error}"
        raise EnvironmentFault(f"env {index}: {what}")

    def snapshot(self) -> Any:
        """As `Replayable.snapshot`, for every env."""
        return list(self.call("snapshot"))

    def learnt(self) -> list[Learnt]:
        """As `Replayable.learnt`, for every env. Raises EnvironmentFault if a process is gone."""
        if self._broken:
            raise EnvironmentFault("a process has ended")
        return list(self.call("learnt"))

    def teach(self, learnt: list[Learnt]) -> None:
        """As `learnt.teach`, for every env."""
        self.call("teach", learnt)

    def resume(self, snapshots: Any) -> tuple[str, ...]:
        """As `Replayable.repeat`, for every env."""
        return self.call("repeat", snapshots)


def _make(parent: int, index: int, rows: int, source: EnvSource, kwargs: dict[str, Any]) -> Replayable:
    """One env; in its own process, it leaves signals to the parent, which then ends it."""
    if os.getpid() != parent:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return Replayable(make_env(source, kwargs), index, ROOM // rows)
