"""What a row costs in environments that have a vector implementation with a seed per row, and one after the other.

python -m benchmarks.vectorization

Microseconds per row and step of random actions, for each number of rows: `serial / vector`. The two take turns in one process, on
one core; each figure is the lowest of its turns.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import tyro

from benchmarks.arguments import errors_in_a_line
from rstdp_agents.base import validate
from rstdp_agents.environments import EnvGrid, build_grid
from rstdp_agents.environments.build import Vectorization
from rstdp_agents.training.reports.tables import table
from rstdp_envs import REGISTERED

ACTIONS = 64
"""Random actions of all rows, which are used over and over."""


@dataclass(frozen=True)
class Args:
    """What to measure."""

    envs: tuple[str, ...] = tuple(sorted(REGISTERED))
    """Ids of environments."""
    rows: tuple[int, ...] = (1, 4, 16, 64)
    """Agents, with one env each."""
    turns: int = 9
    """Turns of each."""
    steps: int = 2_000
    """Steps of a turn, of all rows together."""


class Course:
    """A grid that takes random actions."""

    def __init__(self, how: Vectorization, env: str, rows: int) -> None:
        self.rows, self.grid = rows, build_grid(how, env, {}, rows, 1)
        self.actions = cycle(random_actions(self.grid, rows))
        self.grid.reset(tuple(range(rows)))

    def us_per_row(self, steps: int) -> float:
        """Microseconds per row and step, over as many steps of all rows together."""
        count = max(1, steps // self.rows)
        start = time.perf_counter()
        for _ in range(count):
            self.grid.step(next(self.actions))
        return (time.perf_counter() - start) * 1e6 / (count * self.rows)


def random_actions(grid: EnvGrid, rows: int) -> list[np.ndarray]:
    """`ACTIONS` batches ``(rows, 1, ...)`` of actions that the space contains."""
    space = grid.action_space
    space.seed(0)
    return [np.array([[space.sample()] for _ in range(rows)]) for _ in range(ACTIONS)]


def measured(env: str, rows: int, turns: int, steps: int) -> list[float]:
    """Microseconds per row and step, serial and vector."""
    courses = [Course(how, env, rows) for how in ("serial", "vector")]
    each = [[course.us_per_row(steps) for course in courses] for _ in range(turns)]
    for course in courses:
        course.grid.close()
    return np.min(each, 0).tolist()


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run_all(tyro.cli(Args, args=argv, description=__doc__))


def run_all(args: Args) -> None:
    """Measure and print every line of the table."""
    for name, values in (("rows", args.rows), ("turns", (args.turns,)), ("steps", (args.steps,))):
        for value in values:
            validate.positive(name, value)
    lines = []
    for env in args.envs:
        pairs = [measured(env, rows, args.turns, args.steps) for rows in args.rows]
        lines.append([f"`{env}`", *(f"{serial:.1f} / {vector:.1f}" for serial, vector in pairs)])
        print(*lines[-1], flush=True)
    print(table(["serial / vector", *(f"{rows} rows" for rows in args.rows)], lines))


if __name__ == "__main__":
    main()
