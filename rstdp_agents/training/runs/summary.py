"""The results of a finished run: its closing evaluation, summary.json and model card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base.files import write_whole
from rstdp_agents.environments import EnvSource
from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.episodes import AgentRecord
from rstdp_agents.training.evaluation import aggregate, play, summarise
from rstdp_agents.training.monitoring.metrics import Monitor, hparam_results
from rstdp_agents.training.runs.folder import write_card

Played = dict[str, tuple[np.ndarray, np.ndarray]]
"""Returns and lengths ``(agents, episodes)`` by kind of policy."""


def closing_evaluation(
    agent: Agent, config: RunConfig, source: EnvSource, kwargs: dict[str, Any], learnt: Sequence[Learnt]
) -> Played:
    """Evaluate both kinds of policy, or none if the configuration asks for no episodes; learnt: see `play`."""
    kinds = {"greedy": True, "stochastic": False} if config.eval_episodes else {}
    return {
        kind: play(
            agent, source, kwargs, config.seeds, config.eval_episodes, greedy, learnt=learnt, shown=config.progress
        )
        for kind, greedy in kinds.items()
    }


def write_summary(
    folder: Path,
    config: RunConfig,
    step: int,
    faults: int,
    records: list[AgentRecord],
    played: Played,
    monitor: Monitor,
) -> dict[str, Any]:
    """Write summary.json, README.md and the HParams of TensorBoard; returns the summary."""
    agents = []
    for i, (seed, record) in enumerate(zip(config.seeds, records, strict=True)):
        entry: dict[str, Any] = {"seed": seed, "episodes": record.episodes, "steps": step}
        for name in ("solved_at_episode", "solved_at_step", "final_mean", "best_mean"):
            entry[name] = getattr(record, name)
        entry["final_episodes"] = len(record.recent)
        for kind in ("greedy", "stochastic"):
            entry[f"eval_{kind}"] = summarise(played[kind][0][i]) if kind in played else None
        entry["warnings"] = monitor.health.of_agent(i)
        agents.append(entry)
    overall = {f"eval_{kind}": aggregate(returns) for kind, (returns, _) in played.items()}
    rule = config.agent.rule
    summary = {
        "env": config.env, "rule": rule, "reward_threshold": monitor.tracker.threshold, "env_errors": faults,
        "agents": agents, "aggregate": overall,
    }  # fmt: skip
    write_whole(folder / "summary.json", json.dumps(summary, indent=2) + "\n")
    write_card(folder, config, summary)
    monitor.add_results(step, hparam_results(summary))
    return summary
