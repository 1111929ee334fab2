"""What a person types, read: tasks, ranges of seeds, changes to a setting; and what is said when that is impossible."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import tyro

from benchmarks.tasks import TASKS, Task
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base import validate


def task_named(name: str) -> Task:
    """The task of an environment id. Raises ValueError for one that is not in the table."""
    validate.one_of("task", name, tuple(TASKS))
    return TASKS[name]


def seed_range(text: str) -> tuple[int, ...]:
    """``"1000-1009"`` -> all seeds from the first to the last. Raises ValueError for anything else."""
    first, dash, last = text.partition("-")
    proper = dash and first.isdecimal() and last.isdecimal() and int(first) <= int(last)
    validate.require(bool(proper), f"`seeds` must be the first and the last seed, as in 1000-1009; received {text!r}")
    return tuple(range(int(first), int(last) + 1))


@contextmanager
def errors_in_a_line() -> Iterator[None]:
    """What a person asked for in vain ends the command with one line and exit code 2, without a traceback."""
    try:
        yield
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)


def with_changes(config: AgentConfig, changes: tuple[str, ...]) -> AgentConfig:
    """``config`` with changes such as ``"plasticity.lr=0.5"`` or ``"encoder.cells=4 6"``, read as the options of `train.py`."""
    split = [change.partition("=") for change in changes]
    words = [word for name, _, value in split for word in (f"--{name}", *value.split())]
    return tyro.cli(AgentConfig, default=config, args=words)
