"""Returns of a trained agent in separate environments, without learning."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.base.progress import Bar
from rstdp_agents.environments import EnvSource, Instance, SerialGrid, env_seeds, time_limit
from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.training import compilation

logger = logging.getLogger(__name__)
MAX_PARALLEL = 10
MAX_STEPS = 10_000
"""Time limit of evaluation episodes in envs without their own."""


def evaluate(
    agent: Agent, source: EnvSource, kwargs: dict[str, Any], seeds: tuple[int, ...], episodes: int, greedy: bool,
    parallel: int = MAX_PARALLEL, learnt: Sequence[Learnt] = (), shown: bool = False,
) -> np.ndarray:  # fmt: skip
    """Returns ``(agents, episodes)`` of every agent of a population; see `play`."""
    return play(agent, source, kwargs, seeds, episodes, greedy, parallel, learnt, shown)[0]


def play(
    agent: Agent, source: EnvSource, kwargs: dict[str, Any], seeds: tuple[int, ...], episodes: int, greedy: bool,
    parallel: int = MAX_PARALLEL, learnt: Sequence[Learnt] = (), shown: bool = False,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Returns and lengths of episodes, ``(agents, episodes)`` each, of every agent of a population.

    seeds: the agents' training seeds, from which the evaluation derives its own. Every env plays a fixed number of episodes,
    so that short ones are not over-represented. Greedy takes the most active action group; input and neurons stay stochastic.
    parallel: most envs per agent; one if a simulator can be open only once. learnt: what the wrappers of each agent's training
    envs have learnt (`EnvGrid.snapshot`): the evaluation's envs take it over, one after the other, and learn nothing.
    shown: show a progress bar.
    """
    start = tuple(env_seeds(seed, 2, purpose=1)[int(greedy)] for seed in seeds)
    envs = 1 if isinstance(source, Instance) else min(episodes, parallel)
    grid, obs = _opened(source, kwargs, agent.agents, envs, start, learnt)
    try:
        return _played(agent, grid, obs, start, episodes, greedy, shown)
    finally:
        grid.close()


def _opened(
    source: EnvSource, kwargs: dict[str, Any], agents: int, envs: int, start: tuple[int, ...], learnt: Sequence[Learnt]
) -> tuple[SerialGrid, np.ndarray]:
    """Envs of an evaluation and their first observations; one env per agent if more cannot be open at once."""
    limit = {} if time_limit(source) else {"max_episode_steps": MAX_STEPS}
    frozen = spread(learnt, agents, envs)
    try:
        grid = SerialGrid(source, {**limit, **kwargs}, agents, envs, frozen=frozen)
        try:
            return grid, grid.reset(start)
        except BaseException:
            grid.close()
            raise
    except (UsageError, EnvironmentFault) as error:
        if envs == 1:
            raise
        logger.info(
            "episodes are played one after the other, because %d environments cannot be open at once: %s", envs, error
        )
        return _opened(source, kwargs, agents, 1, start, learnt)


def spread(learnt: Sequence[Learnt], agents: int, envs: int) -> list[Learnt]:
    """What the wrappers of ``agents * n`` training envs have learnt, dealt out to ``envs`` envs of each agent."""
    each = len(learnt) // agents
    return [learnt[agent * each + env % each] for agent in range(agents) for env in range(envs)] if each else []


def _played(
    agent: Agent, grid: SerialGrid, obs: np.ndarray, start: tuple[int, ...], episodes: int, greedy: bool, shown: bool
) -> tuple[np.ndarray, np.ndarray]:
    envs = grid.shape[1]
    quota = np.array([len(range(env, episodes, envs)) for env in range(envs)])
    policy = agent.policy(envs, start)
    running, length = np.zeros((2, agent.agents, envs))
    left = np.tile(quota, (agent.agents, 1))
    played: list[list[list[tuple[float, float]]]] = [[[] for _ in range(envs)] for _ in range(agent.agents)]
    what = f"evaluating, {'greedy' if greedy else 'stochastic'}"
    with compilation.said(), Bar(int(left.sum()), "episode", what, shown=shown) as bar:
        while left.max() > 0:
            t = grid.step(policy.act(obs, greedy))
            obs, running, length, done = t.obs, running + t.reward, length + 1, t.terminated | t.truncated
            if done.any():
                for a, e in np.argwhere(done):
                    played[a][e].append((float(running[a, e]), float(length[a, e])))
                running[done] = length[done] = 0.0
                left = left - done
                policy.reset(done)
            if bar.due():
                bar.move(bar.total - int(left.clip(0).sum()))
    each = np.array([[one for e, done in enumerate(row) for one in done[: quota[e]]] for row in played])
    return each[..., 0], each[..., 1].astype(np.int64)


def interval(values: np.ndarray) -> tuple[float, float]:
    """Bootstrap 95 % interval of the mean of ``values (n,)``; twice the mean itself if they do not vary."""
    from scipy.stats import bootstrap  # takes a second to import, which would slow every start

    if len(values) < 2 or np.ptp(values) == 0:
        return float(np.mean(values)), float(np.mean(values))
    result = bootstrap((values,), np.mean, confidence_level=0.95, n_resamples=2000, rng=np.random.default_rng(0))
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def summarise(returns: np.ndarray) -> dict[str, float | int]:
    """Mean, standard deviation and number of the episodes ``(episodes,)`` of one agent."""
    return {"mean": float(returns.mean()), "std": float(returns.std()), "episodes": int(returns.size)}


class Evaluation(NamedTuple):
    """Episodes of trained agents, without learning; shown as their mean with its 95 % interval."""

    returns: np.ndarray
    """``(agents, episodes)``."""
    lengths: np.ndarray
    """Env steps, ``(agents, episodes)``."""
    greedy: bool
    """Whether the most active action was taken, in place of one drawn as in training."""

    @property
    def mean(self) -> float:
        """Mean return."""
        return float(self.returns.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """Bootstrap 95 % interval of the mean, over agents, or over the episodes of a single one."""
        found = aggregate(self.returns)
        return float(found["low"]), float(found["high"])

    def __repr__(self) -> str:
        return in_words("greedy" if self.greedy else "stochastic", aggregate(self.returns))


def in_words(kind: str, a: dict[str, Any]) -> str:
    """One line on what `aggregate` made of the returns of a kind of policy."""
    return f"{kind}: mean {a['mean']:.1f}, 95 % interval over {a['n']} {a['over']} [{a['low']:.1f}, {a['high']:.1f}]"


def aggregate(returns: np.ndarray) -> dict[str, float | int | str]:
    """Mean of ``returns (agents, episodes)`` with its 95 % interval, over agents, or over the episodes of a single one."""
    values, over = (returns.mean(1), "agents") if len(returns) > 1 else (returns[0], "episodes")
    low, high = interval(values)
    return {"mean": float(values.mean()), "low": low, "high": high, "n": len(values), "over": over}
