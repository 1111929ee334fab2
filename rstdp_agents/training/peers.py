"""The processes that train one population together: what each of them does, and what they agree on."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import gymnasium as gym

from rstdp_agents.agent.agent import Agent
from rstdp_agents.environments.build import Vectorization
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.episodes import EpisodeTracker

T = TypeVar("T")


class Peers(Protocol):
    """Every process calls the same methods at the same places."""

    writes: bool
    """Whether this process writes the files of the run."""
    several: bool
    """Whether there are other processes."""

    def mine(self, config: RunConfig) -> slice:
        """Which of an agent's envs this process steps."""
        ...

    def vectorization(self, config: RunConfig) -> Vectorization:
        """How this process's envs are stepped."""
        ...

    def agree(self, value: T) -> T:
        """The value of the process that writes."""
        ...

    def gather(self, value: T) -> list[T]:
        """The values of all processes, in order, in the process that writes; an empty list elsewhere."""
        ...

    def agent(self, config: RunConfig, spaces: tuple[gym.Space, gym.Space]) -> Agent:
        """The population, with this process's envs."""
        ...

    def tracker(self, config: RunConfig, threshold: float | None) -> EpisodeTracker:
        """The episodes of this process's envs; in the process that writes, of all."""
        ...

    def settle(self) -> None:
        """Exchange what a checkpoint must hold."""
        ...

    def stop(self, asked: list[int]) -> bool:
        """Whether all stop now. asked: signals that this process received; those of the others are added."""
        ...


class Alone:
    """No peers: one process does everything."""

    writes, several = True, False

    def mine(self, config: RunConfig) -> slice:
        return slice(0, config.envs_per_agent)

    def vectorization(self, config: RunConfig) -> Vectorization:
        return config.vectorization

    def agree(self, value: T) -> T:
        return value

    def gather(self, value: T) -> list[T]:
        return [value]

    def agent(self, config: RunConfig, spaces: tuple[gym.Space, gym.Space]) -> Agent:
        return Agent(
            config.agent, *spaces, seeds=config.seeds, envs=config.envs_per_agent, device=config.device, backend=config.backend,
            threads=config.threads,
        )  # fmt: skip

    def tracker(self, config: RunConfig, threshold: float | None) -> EpisodeTracker:
        return EpisodeTracker(config.agents, config.envs_per_agent, threshold, len(config.info_keywords))

    def settle(self) -> None:
        pass

    def stop(self, asked: list[int]) -> bool:
        return bool(asked)


class Nothing:
    """Stands in for what only the writing process has: every method does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None
