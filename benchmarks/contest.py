"""Contestants in processes of their own, and rounds in which they take turns."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from benchmarks.peers.work import Size

ROOT = Path(__file__).parents[1]


class Refused(Exception):
    """A contestant that cannot do what was asked, and why."""


class Contestant:
    """A warm worker process (`benchmarks.peers.worker`). Raises `Refused` if it does not come up."""

    def __init__(self, name: str, module: str, python: Path) -> None:
        self.name, self.module, self.python = name, module, python
        self._errors = TemporaryFile("w+")  # noqa: SIM115 (closed with the process)
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", "benchmarks.peers.worker", module], cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        self.version = self._answer()["version"]

    def layer(self, size: Size) -> None:
        """Prepare env steps of one layer."""
        self._ask(do="layer", size=asdict(size))

    def cartpole(self, metrics: bool = True, **settings: Any) -> None:
        """Prepare the CartPole loop; settings: of ours, fields of `RunConfig`."""
        self._ask(do="cartpole", metrics=metrics, settings=settings)

    def run(self, steps: int) -> float:
        """Take env steps of what was prepared last; returns microseconds per env step."""
        return self._ask(do="run", steps=steps)["us"]

    def peak_mib(self) -> float:
        """Largest resident memory of the process so far (MiB)."""
        return self._ask(do="peak")["mib"]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._errors.close()

    def _ask(self, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise Refused(self._last_words()) from error
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer = json.loads(line) if line else {"error": self._last_words()}
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return lines[-1] if lines else f"the process ended with {self._process.wait()}"


@dataclass(frozen=True)
class Rounds:
    """How long to measure."""

    seconds: float
    """Time of each contestant, after its warm-up."""
    turn: float
    """Time of a turn, at least one env step."""
    least: int = 3
    """Turns of a contestant even if they take longer than that; its warm-up is its only one if that did."""


def take_turns(contestants: dict[str, Contestant], rounds: Rounds, gave_up: dict[str, str]) -> dict[str, list[float]]:
    """Microseconds per env step of every turn of every contestant; all are prepared, and warmed up here.

    gave_up: takes the reason of each that fails on the way, whose turns do not count.
    """
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    steps, spent = {}, dict.fromkeys(contestants, 0.0)
    for name, contestant in contestants.items():
        with _noted(gave_up, name):
            steps[name], us = _warm_up(contestant, rounds)
            if us / 1e6 > rounds.seconds:
                samples[name] = [us]
    waiting = [name for name in steps if not samples[name]]
    while waiting:
        for name in waiting:
            with _noted(gave_up, name):
                us = contestants[name].run(steps[name])
                samples[name].append(us)
                spent[name] += us * steps[name] / 1e6
        going = [name for name in waiting if name not in gave_up]
        waiting = [n for n in going if spent[n] < rounds.seconds or len(samples[n]) < rounds.least]
    return {name: turns for name, turns in samples.items() if name not in gave_up}


@contextmanager
def _noted(gave_up: dict[str, str], name: str) -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        gave_up[name] = str(refused)


def _warm_up(contestant: Contestant, rounds: Rounds) -> tuple[int, float]:
    """Run until warm, longer each time; returns the env steps of a turn and the last time of a step (us)."""
    steps, us = 1, contestant.run(1)
    while us * steps / 1e6 < rounds.turn / 2:
        steps = min(10 * steps, max(2 * steps, round(rounds.turn * 1e6 / us)))
        us = contestant.run(steps)
    return max(1, round(rounds.turn * 1e6 / us)), us
