"""What is asked of an environment before a run begins: the range of the encoder if none is given, and how long a step is."""

from __future__ import annotations

import math
import numbers
from typing import Any

import gymnasium as gym

from rstdp_agents.base import plugins
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.encoders.hashed import may_be_hashed
from rstdp_agents.environments.make import make_env
from rstdp_agents.environments.probe import is_unbounded, probe_bounds, probe_entries, probe_numbers, probe_range
from rstdp_agents.environments.source import EnvSource, name_of
from rstdp_agents.training.config import RunConfig


def ranged(config: RunConfig, source: EnvSource, kwargs: dict[str, Any]) -> RunConfig:
    """As `with_range`, in a separate env, which is closed again."""
    if (config.agent.encoder.low or config.agent.encoder.high) and config.clock == "regime":
        return config
    env = make_env(source, kwargs)
    env.close()
    return with_range(config, env.observation_space, source, kwargs)


def with_range(config: RunConfig, space: gym.Space, source: EnvSource, kwargs: dict[str, Any]) -> RunConfig:
    """The configuration with a range for the encoder, if its code needs one other than the bounds and none is given.

    And with windows as long as the environment's steps where its clock is to count. Raises UsageError if it has none.
    """
    config = config if config.clock == "regime" else _with_clock(config, source, kwargs)
    encoder = config.agent.encoder
    if encoder.low or encoder.high:
        return config
    if encoder.code == "hashed" and may_be_hashed(space):
        found = probe_numbers(source, kwargs, config.seed, config.progress)
    elif encoder.code == "tuples":
        found = probe_entries(source, kwargs, config.seed, config.progress)
    elif is_unbounded(space):
        found = probe_range(source, kwargs, config.seed, config.progress)
    else:
        found = None if plugins.is_plugin(encoder.code) else probe_bounds(space, source, kwargs, config.seed)
    names = ("agent.encoder.low", "agent.encoder.high", "agent.encoder.usual")
    return override(config, dict(zip(names, found))) if found else config


def _with_clock(config: RunConfig, source: EnvSource, kwargs: dict[str, Any]) -> RunConfig:
    env = make_env(source, kwargs)
    env.close()
    fps, dt = env.metadata.get("render_fps"), config.agent.simulation.dt
    if not isinstance(fps, numbers.Real) or isinstance(fps, bool) or not 0 < float(fps) < math.inf:
        raise UsageError(
            f'`--clock env` needs an environment that says how many steps a second has, as `metadata["render_fps"]`; '
            f"{name_of(source)!r} has {fps!r}"
        )
    frame = 1000.0 / float(fps)
    return override(config, {"agent.simulation.ticks": max(1, round(frame / dt))})
