"""Where a population and its environments stand between two env steps: taken over from a checkpoint, and gathered for one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.tensors import written_by
from rstdp_agents.base.errors import CheckpointError, UsageError
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.interaction import Interaction
from rstdp_agents.training.peers import Peers
from rstdp_agents.training.runs import per_env
from rstdp_agents.training.runs.checkpoint import one_line
from rstdp_agents.training.runs.resume import Position
from rstdp_agents.training.training_envs import TrainingEnvs


def take_over(
    checkpoint: Path, config: RunConfig, agent: Agent, play: Interaction, envs: TrainingEnvs, peers: Peers
) -> Position:
    """Bring agents and envs where a checkpoint was written; returns the position, of the envs that are here.

    Raises UsageError for settings that the checkpoint does not go on with, CheckpointError for one that does not fit.
    """
    whole = Position.of_file(checkpoint)
    whole.check_settings(config, checkpoint)
    was = written_by(whole.agent)
    if was != agent.backend:
        raise UsageError(f"{checkpoint} is of --backend {was} and goes on with that; received {agent.backend}")
    position = per_env.cut(whole, agent.parts.per_env(), peers.mine(whole.config))
    try:
        play.tracker.load(position.records, position.episodes)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"{checkpoint} does not say where a run stood: {one_line(error)}") from error
    agent.load(position.agent, checkpoint)
    play.action = position.action
    envs.resume(position.envs, position.why_envs_differ(config))
    envs.running = envs.running and position.action is not None  # else it had not begun
    return position


def of_all(
    agent: Agent, play: Interaction, envs: TrainingEnvs, peers: Peers, where: dict[str, Any] | None = None
) -> tuple[dict[str, Tensor], per_env.PerEnv] | None:
    """The agents' tensors, and what is held per env, of the envs of all peers; None where nothing is written.

    Every one of the peers calls it. where: the envs stand, if that is known already.
    """
    peers.settle()
    tensors, names = agent.tensors(), agent.parts.per_env()
    mine = {name: tensor.cpu() for name, tensor in tensors.items() if name in names}
    action = play.action if envs.running else None
    here = per_env.PerEnv(mine, action, play.tracker.to_json(), envs.where() if where is None else where)
    everyone = peers.gather(here)
    if not everyone:
        return None
    whole = per_env.join(everyone, agent.agents)
    return {**tensors, **whole.tensors}, whole
