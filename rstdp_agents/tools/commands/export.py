"""Write a trained agent for other runtimes: a torch program, ONNX, or a neuromorphic graph (see docs/export.md)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import torch

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.files import write_whole
from rstdp_agents.tools.commands.arguments import AgentArgs, parse
from rstdp_agents.tools.export.metadata import describe, readable
from rstdp_agents.training.run import Run, load_run
from rstdp_agents.training.runs.trust import Trust

Format = Literal["pt2", "onnx", "nir"]


@dataclass(frozen=True, kw_only=True)
class Args(AgentArgs):
    """One agent, as a file."""

    device: str | None = "cpu"
    """Torch device that the file is made on; a torch program stays on it."""
    out: Path
    """File to write."""
    format: Format | None = None
    """torch.export program (pt2), ONNX (onnx) or Neuromorphic Intermediate Representation (nir); by default, what the file's
    name says."""
    agent: int = 0
    """Which agent of the population, counted from 0."""
    greedy: bool = False
    """Take the most active action instead of one drawn from the softmax of rates (pt2, onnx)."""
    numbers: int | None = None
    """Seed of built-in uniform draws, the same for every observation; without it they are an input (pt2, onnx)."""
    solver: Literal["euler", "exact"] = "euler"
    """How the reader of the file integrates membranes (nir)."""
    without: tuple[Literal["noise", "refractory"], ...] = ()
    """What to leave out because NIR cannot express it: escape noise, refractory period (nir)."""


def main(argv: list[str]) -> int:
    """Write the file."""
    args = parse(Args, "export", argv, __doc__)
    torch.set_num_threads(1)
    kind = args.format or args.out.suffix.removeprefix(".")
    if kind not in get_args(Format):
        raise UsageError(f"`--format` must be one of {', '.join(get_args(Format))}; {args.out} does not say which")
    trained = load_run(args.run, "torch", args.device, Trust.of_line(args.trust, argv))
    trained.check_agent(args.agent)
    content = content_of(kind, trained, args)
    write_whole(args.out, content)
    print(f"{args.out}: agent {args.agent} of {trained.checkpoint}, {len(content):,} bytes")
    return 0


def content_of(kind: str, trained: Run, args: Args) -> bytes:
    """Bytes of the file."""
    wrappers = readable(next(iter(trained.learnt(args.agent)), []))
    about = describe(
        trained.config, args.agent, trained.step, wrappers=wrappers, without=args.without, solver=args.solver
    )
    if kind == "nir":
        from rstdp_agents.tools.export.neuromorphic import agent_graph, nir_bytes  # which needs the extra `nir`

        metadata = {"rstdp_agents": about}
        return nir_bytes(agent_graph(trained.agent, args.agent, args.solver, args.without, metadata))
    from rstdp_agents.tools.export.program import onnx_bytes, torch_bytes  # torch's exporters take seconds to import

    step = trained.agent.as_torch_module(args.agent, args.greedy, args.numbers)
    return onnx_bytes(step, about) if kind == "onnx" else torch_bytes(step, about)
