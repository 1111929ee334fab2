"""How an env step shared by several processes takes its time: one rank, several, and the all-reduce alone.

python -m benchmarks.scaling --json docs/results/scaling.json

Every size is measured several times; the lowest figures are kept, for other work on the machine only ever adds. On a machine
that is busy, ``--steps 1 --repeats 250`` catches the moments in which it is not.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import tyro

from benchmarks import machine
from rstdp_agents.agent.agent import Agent
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.distributed.backend import SharedBackend
from rstdp_agents.training.distributed.ranks import Ranks
from rstdp_agents.training.presets import preset


@dataclass(frozen=True)
class Args:
    """What to measure."""

    env: str = "CartPole-v1"
    """Environment, with the one setting of rstdp-et."""
    envs: tuple[int, ...] = (1, 8, 32, 128)
    """Envs of each rank."""
    ranks: tuple[int, ...] = (1, 2)
    """Processes."""
    buffers: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    """Numbers in an all-reduce."""
    steps: int = 60
    """Env steps, or all-reduces, of a measurement."""
    repeats: int = 5
    """Measurements, of which the lowest is kept."""
    json: Path | None = None
    """File for the figures."""


def spread(size: int, body: Callable[..., Any], *args: Any) -> Any:
    """What ``body(ranks, *args)`` returns on rank 0 of ``size`` processes that are a gloo process group."""
    fork = multiprocessing.get_context("fork")
    results, left = fork.SimpleQueue(), fork.SimpleQueue()
    meeting = Path(tempfile.mkdtemp()) / "point"

    def process(rank: int) -> None:
        torch.set_num_threads(1)
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)
        answer = body(Ranks(rank, size), *args)
        if rank == 0:
            results.put(answer)
        left.get()  # nobody leaves while another one still talks

    processes = [fork.Process(target=process, args=(rank,)) for rank in range(size)]
    for p in processes:
        p.start()
    answer = results.get()
    for _ in processes:
        left.put(None)
    for p in processes:
        p.join()
    return answer


def lowest(once: Callable[[], object], steps: int, repeats: int) -> dict[str, float]:
    """Microseconds per call, the lowest of ``repeats`` measurements of ``steps`` calls: that passed, and of this process."""
    once()
    passed, own = np.inf, np.inf
    for _ in range(repeats):
        start, start_own = time.perf_counter(), time.process_time()
        for _ in range(steps):
            once()
        passed = min(passed, (time.perf_counter() - start) / steps)
        own = min(own, (time.process_time() - start_own) / steps)
    return {"us": passed * 1e6, "cpu_us": own * 1e6}


def shared_steps(ranks: Ranks, args: Args, envs: int) -> dict[str, float]:
    """Microseconds of an env step of an agent with ``envs`` envs on this rank, and bytes of it on the wire."""
    sent = [0]

    class Counting(Ranks):
        def add(self, tensor: torch.Tensor) -> None:
            sent[0] = tensor.numel() * tensor.element_size()
            super().add(tensor)

    grid = SerialGrid(args.env, {}, 1, envs)
    config = preset(args.env, "rstdp-et").agent
    spaces = grid.observation_space, grid.action_space
    backend = partial(SharedBackend, ranks=Counting(ranks.rank, ranks.size))
    agent = Agent(config, *spaces, seeds=(0,), envs=envs, backend=backend)
    action = agent.begin(grid.reset((ranks.rank,)))

    def once() -> None:
        nonlocal action
        action = agent.step(grid.step(action))

    return {**lowest(once, args.steps, args.repeats), "bytes": sent[0]}


def reduces(ranks: Ranks, args: Args, numbers: int) -> dict[str, float]:
    """Microseconds of an all-reduce of ``numbers`` float32."""
    buffer = torch.zeros(numbers)
    return lowest(lambda: ranks.add(buffer), args.steps, args.repeats)


def main() -> None:
    """Measure, print, and write."""
    args = tyro.cli(Args, description=__doc__)
    steps = [
        {"ranks": size, "envs": envs, **spread(size, shared_steps, args, envs)}
        for envs in args.envs
        for size in args.ranks
    ]
    alone = [
        {"ranks": size, "bytes": 4 * n, **spread(size, reduces, args, n)}
        for size in args.ranks
        if size > 1
        for n in args.buffers
    ]
    for row in [*steps, *alone]:
        print("  ".join(f"{name} {value:,.0f}" for name, value in row.items()))
    if args.json:
        text = {"machine": machine.describe(), "env": args.env, "env_steps": steps, "all_reduces": alone}
        args.json.write_text(json.dumps(text, indent=2) + "\n")


if __name__ == "__main__":
    main()
