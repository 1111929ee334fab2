"""One contestant in a process of its own: reads a request per line, answers with a line of JSON, stays warm in between.

python -m benchmarks.peers.worker bindsnet

Requests and answers:
    (at the start)                                          {"version": "0.3.4"}
    {"do": "layer", "size": {"pre": 64, "post": 16}}        {}
    {"do": "cartpole", "agents": 1, "metrics": true, ...}   {}
    {"do": "run", "steps": 100}                             {"us": 12.5}   microseconds per env step
    {"do": "peak"}                                          {"mib": 310.0} largest resident memory so far
A request that fails is answered with {"error": "..."}. What a library prints goes to stderr.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
from collections.abc import Callable
from importlib.metadata import version
from types import ModuleType
from typing import Any

import torch

from benchmarks.peers import cartpole
from benchmarks.peers.work import Run, Size, timed


def prepare(module: ModuleType, request: dict[str, Any]) -> Run:
    """The work asked for, ready to run."""
    if request["do"] == "layer":
        env_step = module.prepare(Size(**request["size"]))
        return timed(env_step, getattr(module, "finish", lambda: None))
    if hasattr(module, "cartpole"):
        return module.cartpole(request["metrics"], **request["settings"])
    return cartpole.player(module.window(cartpole.SIZE))


def peak_mib() -> float:
    """Largest resident memory of this process so far (MiB)."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def serve(module: ModuleType, requests: Any, answer: Callable[[dict[str, Any]], None]) -> None:
    run: Run | None = None
    for line in requests:
        request = json.loads(line)
        try:
            if request["do"] == "peak":
                answer({"mib": peak_mib()})
            elif request["do"] == "run":
                assert run is not None, "nothing prepared"
                answer({"us": 1e6 * run(request["steps"]) / request["steps"]})
            else:
                run = None  # let go of the last work before the next
                run = prepare(module, request)
                answer({})
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}".splitlines()[0]})


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    try:
        module = importlib.import_module(f"benchmarks.peers.{sys.argv[1]}")
        answer({"version": version(getattr(module, "DISTRIBUTION", sys.argv[1]))})
    except Exception as error:
        return answer({"error": f"{type(error).__name__}: {error}".splitlines()[0]})
    serve(module, sys.stdin, answer)


if __name__ == "__main__":
    main()
