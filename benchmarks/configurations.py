"""What an env step costs in each configuration, compiled and on torch; how it grows with inputs; what a start costs.

python -m benchmarks.configurations --json docs/results/configurations.json --docs docs/configurations.md

Both backends take turns in one process, on one thread, and live through the same observations.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import torch
import tyro
from gymnasium.envs.classic_control import CartPoleEnv

from benchmarks import machine
from benchmarks.summary import exponent, short
from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig, BackendName
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.training.presets.regimes import REGIMES
from rstdp_agents.training.reports.tables import table

_box: Any = gym.spaces.Box  # whose declared types leave out bool
VECTOR, IMAGE = gym.spaces.Box(-1.0, 1.0, (4,)), _box(0, 1, (10, 10, 4), bool)
PLANE, TILES = gym.spaces.Box(-1.0, 1.0, (2,)), {"encoder.code": "tiles"}
STARTED = "RSTDP_AGENTS_STARTED"
"""Names the file in which `Watched` notes its first step."""
ROOT = Path(__file__).parents[1]


class Case(NamedTuple):
    """An agent: observations that it sees, and its settings."""

    space: gym.Space[Any]
    settings: dict[str, Any]
    step: float = 0.05
    """Standard deviation of what a number wanders in a step, where observations are numbers within -1 and 1."""


PLANES = {"encoder.code": "place-cells"}
CASES = {
    "the default settings": Case(VECTOR, {}),
    "R-STDP": Case(VECTOR, {"rule": "rstdp"}),
    "reward-switch": Case(VECTOR, {"rule": "reward-switch"}),
    "spiking critic": Case(VECTOR, {"modulator": "td-spiking"}),
    "membranes and traces that go on": Case(VECTOR, {"simulation.fresh_each_window": False}),
    "nearest pairs": Case(VECTOR, {"plasticity.on_spike": "set", "plasticity.a_minus": 0.5}),
    "soft bounds": Case(VECTOR, {"plasticity.mu": 1.0, "plasticity.w_min": -0.1, "plasticity.w_max": 0.1}),
    "Dale's law": Case(VECTOR, {"network.dale": True}),
    "lateral inhibition": Case(VECTOR, {"neuron.lateral_inhibition": 0.05}),
    "pairs by weight": Case(VECTOR, {"plasticity.mu_plus": 0.5, "plasticity.a_minus": 0.3}),
    "windows of 100 ticks": Case(VECTOR, {"simulation.ticks": 100}),
    "late input spikes": Case(VECTOR, {"network.max_delay": 5.0}),
    "alif": Case(VECTOR, {"neuron.model": "alif"}),
    "adex": Case(VECTOR, {"neuron.model": "adex"}),
    "izhikevich": Case(VECTOR, {"neuron.model": "izhikevich"}),
    "place cells, 6 for each number": Case(VECTOR, {"encoder.code": "place-cells", "encoder.cells": (6, 6, 6, 6)}),
    "64 hidden neurons": Case(VECTOR, {"network.hidden": (64,)}),
    "128": Case(VECTOR, {"network.hidden": (128,)}),
    "64 and 64": Case(VECTOR, {"network.hidden": (64, 64)}),
    "the cortical regime": Case(
        VECTOR, {name.removeprefix("agent."): value for name, value in REGIMES["cortical"].items()}
    ),
    "10 x 10 x 4 image, 5 % bright": Case(IMAGE, {}),
    "8 kernels of 3 x 3 on it": Case(IMAGE, {"network.conv": ((8, 3, 1),), **PLANES}),
    "the same and 64 hidden neurons": Case(IMAGE, {"network.conv": ((8, 3, 1),), "network.hidden": (64,), **PLANES}),
    "16 kernels and 128": Case(IMAGE, {"network.conv": ((16, 3, 1),), "network.hidden": (128,), **PLANES}),
}
GROWN = {
    "Inputs, of which 100 are active": "inputs", "Active inputs of some 10^5": "active", "Agents of a population": "agents"
}  # fmt: skip
"""Titles of what a step may grow with, and where their figures are."""
INPUTS = {900: (100, 2), 10_000: (100, 9), 96_100: (100, 30), 102_400: (100, 31), 1_000_000: (100, 99)}
"""Inputs -> tilings, of which as many inputs are active, and tiles for each of two numbers."""
ACTIVE = {10: (10, 99), 100: (100, 30), 1000: (1000, 9)}
"""Active inputs of some 10^5 -> the same."""
POPULATIONS = (1, 4, 16, 64, 256)
"""Agents with the default settings."""


@dataclass(frozen=True)
class Args:
    """What to measure."""

    quick: bool = False
    """Short turns, four configurations, no starts; about a minute."""
    json: Path | None = None
    """File for all figures."""
    docs: Path | None = None
    """Markdown page to write from them."""

    @property
    def turns(self) -> int:
        """Turns of each contestant, of which the median counts."""
        return 3 if self.quick else 15

    @property
    def turn(self) -> float:
        """Length of a turn (s)."""
        return 0.05 if self.quick else 0.2


class Life:
    """Agents that live through observations, on and on; ``step()`` is one env step of each."""

    def __init__(self, case: Case, backend: BackendName, agents: int = 1) -> None:
        config = override(AgentConfig(), case.settings)
        actions = gym.spaces.Discrete(6 if case.space is IMAGE else 2)
        self.agent = Agent(config, case.space, actions, seeds=tuple(range(1, 1 + agents)), envs=1, backend=backend)
        random = np.random.default_rng(0)
        steps, shape = 512, (agents, 1, *(case.space.shape or ()))
        seen = (
            random.random((steps, *shape)) < 0.05 if case.space is IMAGE else _walk(random, case.step, (steps, *shape))
        )
        nobody, rewards = np.zeros((agents, 1), bool), random.normal(size=(steps, agents, 1))
        self._steps = [Transition(*each, nobody, nobody, None, False) for each in zip(seen, rewards, strict=True)]
        self._at = count()
        self.agent.begin(seen[0])
        self.step()

    def step(self) -> None:
        self.agent.step(self._steps[next(self._at) % len(self._steps)])

    def run(self, seconds: float) -> float:
        """Microseconds per env step of an agent, of steps for about so many seconds."""
        steps, start = 0, time.perf_counter()
        while (passed := time.perf_counter() - start) < seconds:
            for _ in range(10):
                self.step()
            steps += 10
        return 1e6 * passed / (steps * self.agent.agents)


def _walk(random: np.random.Generator, step: float, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers that wander within -1 and 1, along the first axis."""
    wandered = np.cumsum(random.normal(0, step, shape), 0)
    return (np.abs((wandered + 1) % 4 - 2) - 1).astype(np.float32)


def take_turns(
    cases: dict[str, Case], backends: tuple[BackendName, ...], args: Args
) -> dict[str, dict[str, list[float]]]:
    """Microseconds per env step, case -> backend -> one for each turn."""
    out = {}
    for name, case in cases.items():
        lives = {backend: Life(case, backend) for backend in backends}
        turns = [{backend: life.run(args.turn) for backend, life in lives.items()} for _ in range(args.turns)]
        out[name] = {backend: sorted(turn[backend] for turn in turns) for backend in backends}
        print(name, {backend: short(float(np.median(us))) for backend, us in out[name].items()}, flush=True)
    return out


def of_populations(args: Args) -> dict[str, dict[str, list[float]]]:
    """As `take_turns`, of `POPULATIONS`, one after the other: all of them together would take much memory."""
    out = {}
    for agents in POPULATIONS[:: 2 if args.quick else 1]:
        life = Life(CASES["the default settings"], "fused", agents)
        out[str(agents)] = {"fused": sorted(life.run(4 * args.turn) for _ in range(args.turns))}
        print(agents, "agents", short(float(np.median(out[str(agents)]["fused"]))), flush=True)
    return out


def tiled(tilings: int, cells: int) -> Case:
    """An agent with so many tilings of the plane, each with so many tiles for each of two numbers."""
    return Case(PLANE, {**TILES, "encoder.tilings": tilings, "encoder.cells": (cells, cells)}, step=0.4 / cells)


class Watched(CartPoleEnv):
    """CartPole that notes how much CPU its process has used when it takes its first step (s).

    The one that is trained on comes after those that are looked at before: its note stays.
    """

    stepped = False

    def step(self, action: Any) -> Any:
        if not self.stepped:
            self.stepped = True
            Path(os.environ[STARTED]).write_text(repr(time.process_time()))
        return super().step(action)


COMPILE = """
import time, numpy as np, gymnasium as gym
from benchmarks.configurations import Case, Life, VECTOR
start = time.process_time()
life = Life(Case(VECTOR, {settings}), "fused")
life.agent.policy(1, (2,)).act(np.zeros((1, 1, 4), np.float32), True)
print(time.process_time() - start)
"""


def starts(repeats: int) -> dict[str, list[float]]:
    """CPU seconds of compiling and of starting, each in fresh processes."""
    out: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(repeats):
            cold = {"NUMBA_CACHE_DIR": f"{folder}/cache{i}"}
            for name, settings in (("compile, default settings", {}), ("compile, all others", {"rule": "rstdp"})):
                code = COMPILE.format(settings=repr(settings))
                out.setdefault(name, []).append(float(_python(["-c", code], cold)))
            out.setdefault("load both", []).append(float(_python(["-c", COMPILE.format(settings="{}")], cold)))
            out.setdefault("import torch", []).append(
                float(_python(["-c", "import time, torch; print(time.process_time())"], {}))
            )
            file = f"{folder}/started{i}"
            run = [
                "train.py",
                "--env",
                "benchmarks.configurations:Watched",
                "--total-steps",
                "20",
                "--eval-episodes",
                "0",
            ]
            where = ["--run-dir", f"{folder}/run{i}", "--no-progress"]
            _python([*run, *where], {**cold, STARTED: file})
            out.setdefault("train.py to the first env step", []).append(float(Path(file).read_text()))
    return out


def _python(arguments: list[str], environment: dict[str, str]) -> str:
    """What a fresh process on one thread prints last."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run([sys.executable, *arguments], env=environment, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return (done.stdout.strip().splitlines() or [""])[-1]


def tables(results: dict[str, Any]) -> str:
    """The figures in Markdown."""
    both = []
    for name, us in results["cases"].items():
        torch_us, compiled = (float(np.median(us[backend])) for backend in ("torch", "fused"))
        both.append([name, *map(_spread, (us["torch"], us["fused"])), f"x{short(torch_us / compiled)}"])
    parts = ["## Configurations", table(["us per env step", "torch", "compiled", ""], both)]
    for title, key in GROWN.items():
        rows = {int(n): us["fused"] for n, us in results[key].items()}
        power = exponent(list(rows), [float(np.median(us)) for us in rows.values()])
        lines = [[f"{n:,}", _spread(us)] for n, us in rows.items()]
        parts += [
            f"## {title}",
            table(["", "us per env step of an agent, compiled"], lines),
            f"A power law of exponent {power:.2f}.",
        ]
    if results["starts"]:
        lines = [[name, ", ".join(f"{s:.2f}" for s in seconds)] for name, seconds in results["starts"].items()]
        parts += ["## Starting", table(["", "CPU seconds, run by run"], lines)]
    return "\n\n".join(parts)


def _spread(us: list[float]) -> str:
    """Median and quartiles."""
    low, median, high = (short(float(each)) for each in np.quantile(us, (0.25, 0.5, 0.75)))
    return f"{median} [{low}, {high}]"


INTRO = """\
# What each configuration costs

Produced by `{command}` in {seconds} s. Machine: {processor}, {cores} cores, {memory_gib} GiB, {system}; Python {python},
torch {torch}; one agent but where the table counts them, one env, one thread, both backends in turns. Load of the machine
at the start: {load_at_start}.

A cell is the median of the turns with its quartiles in brackets. An env step is `Agent.step` alone: learning from the last
transition, 10 ticks, decision, with R-STDP-ET, a linear critic and homeostasis but for what the row says. The first row is what
every environment of numbers gets without any setting: 4 numbers, hashed tiles, 2 actions. Rows of tiles have 16 output neurons,
and see two numbers that wander by a fifth of a tile or two in a step: what a step costs depends on how many inputs come and go.
102,400 inputs are 100 tilings of 1,024 tiles, so that rows of the same tile lie 64 kB apart and share few sets of the cache;
96,100 are 100 of 961.

"""


def main() -> None:
    args = tyro.cli(Args, description=__doc__)
    torch.set_num_threads(1)
    flush_denormal()
    facts, start = machine.describe(), time.time()
    cases = dict(list(CASES.items())[::5]) if args.quick else CASES
    grown = {"inputs": INPUTS, "active": ACTIVE}
    results: dict[str, Any] = {
        "command": "python -m benchmarks.configurations " + shlex.join(sys.argv[1:]),
        "machine": facts,
        "cases": take_turns(cases, ("torch", "fused"), args),
        **{
            key: take_turns({str(n): tiled(*of) for n, of in sizes.items()}, ("fused",), args)
            for key, sizes in grown.items()
        },
        "agents": of_populations(args),
        "starts": {} if args.quick else starts(3),
    }
    results["seconds"] = round(time.time() - start)
    print(body := tables(results))
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    if args.docs:
        args.docs.write_text(INTRO.format(**results["machine"], **results) + body + "\n")


if __name__ == "__main__":
    main()
