"""Where the time of the training loop goes: microseconds per env step of its parts, everything on.

python -m benchmarks.breakdown --backend fused
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import tyro

from benchmarks.peers.ours import loop_config
from rstdp_agents.agent.config import BackendName
from rstdp_agents.base.settings import override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports.tables import table

ENV, AROUND_ENV, AGENT = "env itself", "around the env", "agent: learning and simulation"
UPKEEP = ("pictures", "points in TensorBoard and monitor.csv", "checkpoints")
PARTS = (ENV, AROUND_ENV, AGENT, "episodes", "metrics", "loop and progress bar")


@dataclass(frozen=True)
class Args:
    """What to measure."""

    steps: int = 50_000
    """Env steps."""
    backend: BackendName = "fused"
    """Of the agent."""
    json: Path | None = None
    """File for the figures."""


class Stopwatch:
    """Adds up the time that is spent in a method of an object, which is called by its name."""

    def __init__(self, owner: Any, name: str) -> None:
        self.ns, method = 0, getattr(owner, name)
        setattr(owner, name, self._timed(method))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any) -> Any:
            start = time.perf_counter_ns()
            try:
                return method(*args)
            finally:
                self.ns += time.perf_counter_ns() - start

        return timed


class Idle:
    """Does nothing, to see what watching costs."""

    def step(self, _: None) -> None:
        """Nothing."""


def cost_of_watching(calls: int = 100_000) -> tuple[float, float]:
    """Nanoseconds that a stopwatch adds to what it measures, and to its caller (that included), per call."""

    def once(idle: Idle) -> float:
        start = time.perf_counter_ns()
        for _ in range(calls):
            idle.step(None)
        return (time.perf_counter_ns() - start) / calls

    plain, watched = Idle(), Idle()
    watch = Stopwatch(watched, "step")
    without, with_one = (min(once(idle) for _ in range(5)) for idle in (plain, watched))
    return watch.ns / calls / 5, with_one - without


def breakdown(steps: int, backend: BackendName) -> dict[str, float]:
    """`once`, after a short run that loads compiled code."""
    once(200, backend)
    return once(steps, backend)


def once(steps: int, backend: BackendName) -> dict[str, float]:
    """Microseconds per env step of each of `PARTS`, for one agent on CartPole with 270 place cells; without the watching."""
    config = loop_config(total_steps=steps, backend=backend)
    with TemporaryDirectory() as folder, Training(config, Path(folder)) as training:
        training.save = lambda envs=None: None
        (env,) = cast("SerialGrid", training.envs.grid).envs
        parts = (env.env, "step"), (training.envs, "step"), (training.agent, "step"), (training.tracker, "add")
        watches = [Stopwatch(*part) for part in (*parts, (training.monitor, "record"))]
        start = time.perf_counter_ns()
        training.run()
        whole = time.perf_counter_ns() - start
    inside, around = cost_of_watching()
    env, grid, agent, episodes, metrics = (watch.ns / steps - inside for watch in watches)
    grid -= around
    rest = whole / steps - len(watches) * around - grid - agent - episodes - metrics
    spent = env, grid - env, agent, episodes, metrics, rest
    return {name: ns / 1e3 for name, ns in zip(PARTS, spent, strict=True)}


def upkeep(steps: int) -> dict[str, float]:
    """`upkeep_once`, after a short run that loads compiled code, and what draws."""
    upkeep_once(1_000)
    return upkeep_once(steps)


def upkeep_once(steps: int) -> dict[str, float]:
    """What a run of CartPole as `train.py` has it spends on other than its steps: percent of the time of each of `UPKEEP`."""
    config = override(preset("CartPole-v1", "rstdp-et"), {"total_steps": steps})
    with TemporaryDirectory() as folder, Training(config, Path(folder)) as training:
        parts = (training.monitor.pictures, "draw"), (training.monitor, "flush"), (training, "save")
        watches = [Stopwatch(*part) for part in parts]
        start = time.perf_counter_ns()
        training.run()
        whole = time.perf_counter_ns() - start
    return {name: 100.0 * watch.ns / whole for name, watch in zip(UPKEEP, watches, strict=True)}


def breakdown_table(columns: dict[str, dict[str, float]]) -> str:
    """Parts by columns: microseconds per env step, and their share of the whole."""
    wholes = {name: sum(parts.values()) for name, parts in columns.items()}
    lines = [
        [part, *(f"{parts[part]:.1f} ({100 * parts[part] / wholes[name]:.1f} %)" for name, parts in columns.items())]
        for part in PARTS
    ]
    return table(["us per env step", *columns], [*lines, ["whole", *(f"{whole:.1f}" for whole in wholes.values())]])


def main() -> None:
    args = tyro.cli(Args, description=__doc__)
    parts = breakdown(args.steps, args.backend)
    print(breakdown_table({args.backend: parts}))
    if args.json:
        args.json.write_text(json.dumps(parts, indent=1) + "\n")


if __name__ == "__main__":
    main()
