"""Gymnasium environments, arranged as a grid of ``(agents, envs)`` and stepped in one of several ways."""

from rstdp_agents.environments.build import build_grid as build_grid
from rstdp_agents.environments.grid import EnvGrid as EnvGrid
from rstdp_agents.environments.make import env_seeds as env_seeds
from rstdp_agents.environments.make import make_env as make_env
from rstdp_agents.environments.probe import is_unbounded as is_unbounded
from rstdp_agents.environments.probe import probe_range as probe_range
from rstdp_agents.environments.serial import SerialGrid as SerialGrid
from rstdp_agents.environments.source import EnvSource as EnvSource
from rstdp_agents.environments.source import Instance as Instance
from rstdp_agents.environments.source import name_of as name_of
from rstdp_agents.environments.source import parse_kwargs as parse_kwargs
from rstdp_agents.environments.source import reward_threshold as reward_threshold
from rstdp_agents.environments.source import time_limit as time_limit
from rstdp_agents.environments.vector import VectorGrid as VectorGrid
