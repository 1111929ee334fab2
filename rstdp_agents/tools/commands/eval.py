"""Play episodes with trained agents, without learning: returns of the greedy and the stochastic policy."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base import screen, validate
from rstdp_agents.base.escape import one_line
from rstdp_agents.environments import EnvSource
from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.tools.commands.arguments import AgentArgs, parse
from rstdp_agents.training.evaluation import aggregate, evaluate, in_words, summarise
from rstdp_agents.training.run import load_run
from rstdp_agents.training.runs.trust import Trust


@dataclass(frozen=True, kw_only=True)
class Args(AgentArgs):
    """Episodes of trained agents."""

    episodes: int = 20
    """Episodes for each agent and policy."""
    policy: Literal["both", "greedy", "stochastic"] = "both"
    """The most active action (greedy), one drawn from the softmax of rates as in training (stochastic), or both in turn."""
    seed: int | None = None
    """Seed of the first agent's episodes; by default the episodes of the run's closing evaluation."""
    agent: int | None = None
    """Only this agent of the population, counted from 0."""
    render: Literal["none", "human"] = "none"
    """Show the episodes on screen, one after the other (the first agent's, unless --agent says otherwise)."""

    def __post_init__(self) -> None:
        validate.positive("episodes", self.episodes)


def main(argv: list[str]) -> int:
    """Evaluate and print one line per agent and policy."""
    args = parse(Args, "eval", argv, __doc__)
    torch.set_num_threads(1)
    trained = load_run(args.run, device=args.device, trust=Trust.of_line(args.trust, argv))
    agent, seeds, kwargs, learnt = trained.agent, trained.config.seeds, trained.kwargs, trained.learnt()
    if args.agent is not None or args.render == "human":
        index = args.agent or 0
        agent, seeds, learnt = trained.single(index), seeds[index : index + 1], trained.learnt(index)
    if args.seed is not None:
        seeds = tuple(range(args.seed, args.seed + len(seeds)))
    if args.render == "human":
        if not screen.is_there():
            print("note: there is no screen here, so the episodes will not be shown", file=sys.stderr)
        kwargs = trained.rendered("human")
    print(f"{trained.checkpoint}, env step {trained.step}, {one_line(trained.config.env)}")
    for kind in ("greedy", "stochastic") if args.policy == "both" else (args.policy,):
        show(kind, play(agent, trained.source, kwargs, seeds, args, kind == "greedy", learnt), seeds)
    return 0


def play(
    agent: Agent, env: EnvSource, kwargs: dict, seeds: tuple[int, ...], args: Args, greedy: bool, learnt: list[Learnt]
) -> np.ndarray:
    """Returns ``(agents, episodes)``; one env at a time if someone watches."""
    parallel = {"parallel": 1} if args.render == "human" else {}
    return evaluate(agent, env, kwargs, seeds, args.episodes, greedy, learnt=learnt, shown=True, **parallel)


def show(kind: str, returns: np.ndarray, seeds: tuple[int, ...]) -> None:
    """A line per agent, and the population's mean with its interval."""
    for seed, own in zip(seeds, returns, strict=True):
        s = summarise(own)
        print(
            f"{kind}, seed {seed}: {s['mean']:.1f} +- {s['std']:.1f}, lowest {own.min():.1f}, highest {own.max():.1f}"
        )
    print(in_words(kind, aggregate(returns)))
