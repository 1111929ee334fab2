"""A search space over settings, and what a trial in it is worth."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict
from typing import Any, Literal, NamedTuple

import numpy as np

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.progress import Bar
from rstdp_agents.base.settings import flat, override
from rstdp_agents.environments import build_grid, make_env
from rstdp_agents.training import compilation
from rstdp_agents.training.config import RunConfig, by_option, source_of
from rstdp_agents.training.episodes import RECENT_EPISODES, EpisodeTracker
from rstdp_agents.training.interaction import Interaction
from rstdp_agents.training.ranged import with_range

OWN = {
    "plasticity": ("lr", "tau_e", "tau_plus", "tau_minus", "w_min", "w_max", "mu"),
    "modulation": ("reward_scale", "gamma", "lambda_", "critic_lr", "novelty", "deadband", "tau_baseline"),
    "decoder": ("inverse_temperature", "temperature_lr", "exploration", "exploration_lr"),
    "homeostasis": ("tau", "limit", "tau_rate", "floor"),
    "neuron": ("tau_m", "v_th", "v_reset", "t_ref", "escape_noise", "lateral_inhibition"),
    "encoder": ("rate_max",),
}
"""Settings that agents of a population may have each for itself, in compiled code; on the torch backend the first one only."""
STEADY = ("plasticity", "modulation", "homeostasis")
"""Groups of settings whose fractions can change while an agent learns; what they hold in whole numbers or words cannot."""
Objective = Literal["area", "final"]


class Range(NamedTuple):
    """Numbers from ``low`` to ``high``, whole ones if ``whole``, by their logarithm if ``log``."""

    low: float
    high: float
    log: bool
    whole: bool


class Choice(NamedTuple):
    """One of several values."""

    values: tuple[Any, ...]


Space = dict[str, Range | Choice]


def parse_space(texts: Sequence[str], config: RunConfig) -> Space:
    """``("plasticity.lr=0.1:2:log", "decoder.gate=centred,chosen", ...)`` as a space over settings of ``config``.

    Names are those of the command line. Raises UsageError naming what is wrong.
    """
    known = by_option(config)
    space: Space = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.replace("-", "_")
        if not equals or name not in known:
            near = difflib.get_close_matches(name, known, n=3)
            hint = f"; the nearest settings are {', '.join(near)}" if near and name not in known else ""
            raise UsageError(
                f"`--space` takes setting=low:high, setting=low:high:log or setting=a,b,c; received {text!r}{hint}"
            )
        space[name] = _dimension(text, values, known[name])
    if not space:
        raise UsageError("`--space` is empty: give one setting or more, such as plasticity.lr=0.1:2:log")
    return space


def _dimension(text: str, values: str, default: Any) -> Range | Choice:
    whole = isinstance(default, int) and not isinstance(default, bool)
    if ":" in values:
        low, high, *rest = values.split(":")
        try:
            ends = (int(low), int(high)) if whole else (float(low), float(high))
        except ValueError:
            ends = (math.nan, math.nan)
        if not ends[0] < ends[1] or rest not in ([], ["log"]) or (rest and ends[0] <= 0):
            raise UsageError(
                f"`--space` takes low:high or low:high:log with low < high, above 0 for log; received {text!r}"
            )
        return Range(*ends, log=bool(rest), whole=whole)
    read = {bool: lambda word: {"True": True, "False": False}[word], int: int, float: float, str: str}.get(
        type(default)
    )
    try:
        if read is None:
            raise ValueError
        return Choice(tuple(read(word) for word in values.split(",")))
    except (ValueError, KeyError) as error:
        raise UsageError(f"`--space` cannot read the values of {text!r} as {type(default).__name__}") from error


def check_steady(space: Space) -> None:
    """Raise UsageError unless an agent can go on learning with every value of the space in place of another."""
    for name, dimension in space.items():
        values = dimension.values if isinstance(dimension, Choice) else dimension[:2]
        if name.partition(".")[0] not in STEADY or not all(isinstance(value, float) for value in values):
            raise UsageError(
                f"`--scheduler pbt` changes settings of agents that have begun to learn: numbers of {', '.join(STEADY)}; "
                f"received {name}"
            )


def changed(config: RunConfig, values: Mapping[str, Any]) -> RunConfig:
    """``config`` with settings by the names of the command line. Raises ValueError where they cannot be."""
    own = {name for name in flat(asdict(config)) if not name.startswith("agent.")}
    return override(config, {name if name in own else f"agent.{name}": value for name, value in values.items()})


def at_once(config: RunConfig, names: Set[str]) -> bool:
    """Whether trials that differ in the settings ``names`` alone can train as one population."""
    if names <= {"plasticity.lr"}:
        return True
    if not names <= {f"{group}.{name}" for group, own in OWN.items() for name in own}:
        return False
    source, kwargs = source_of(config)
    env = make_env(source, kwargs)
    spaces = env.observation_space, env.action_space
    env.close()
    config = with_range(config, spaces[0], source, kwargs)
    return Agent(config.agent, *spaces, seeds=(0,), device=config.device, backend=config.backend).backend == "fused"


def scores(config: RunConfig, trials: Sequence[Mapping[str, Any]], objective: Objective) -> np.ndarray:
    """What each trial is worth with each seed of ``config``, ``(trials, seeds)``; nan where no episode ended.

    area: mean return over all training episodes; final: over the last hundred. Several trials train as one population
    (see `at_once`).
    """
    returns = train([changed(config, trial) for trial in trials])
    return np.array([worth(r, objective) for r in returns]).reshape(len(trials), config.agents)


def worth(returns: Sequence[float], objective: Objective) -> float:
    """What the episodes of an agent are worth, see `scores`; nan where there are none."""
    counted = returns[-RECENT_EPISODES:] if objective == "final" else returns
    return float(np.mean(counted)) if len(counted) else math.nan


def train(configs: Sequence[RunConfig]) -> list[list[float]]:
    """Returns of all training episodes of the agents of each configuration, side by side; nothing is written."""
    config, n = configs[0], configs[0].agents
    (source, kwargs), envs, seeds = source_of(config), config.envs_per_agent, config.seeds * len(configs)
    grid = build_grid(config.vectorization, source, kwargs, len(seeds), envs)
    config = with_range(config, grid.observation_space, source, kwargs)
    agent = Agent(
        config.agent, grid.observation_space, grid.action_space, seeds=seeds, envs=envs, device=config.device,
        backend=config.backend, threads=config.threads,
    )  # fmt: skip
    for i, other in enumerate(configs[1:], 1):
        agent.adopt(slice(i * n, (i + 1) * n), other.agent)
    tracker, returns = EpisodeTracker(len(seeds), envs, None), [[] for _ in seeds]
    with compilation.said(), Bar(config.total_steps, "step", f"{len(configs)} trial(s)", shown=config.progress) as bar:
        play = Interaction(agent, grid, tracker)
        play.begin(seeds)
        for step in range(envs, config.total_steps + 1, envs):
            for episode in play.step(step)[1]:
                returns[episode.agent].append(episode.episode_return)
            if bar.due():
                bar.move(step)
    grid.close()
    return returns
