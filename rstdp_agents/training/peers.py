"""The processes that train one population together: what is done by each of them, and what they agree on."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

import gymnasium as gym

from rstdp_agents.agent.agent import Agent
from rstdp_agents.environments.build import Vectorization
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.episodes import EpisodeTracker

T = TypeVar("T")


class Peers(Protocol):
    """Every process calls these methods alike, at the same places."""

    writes: bool
    """Whether this process keeps the files of the run."""
    several: bool
    """Whether there are others."""

    def mine(self, config: RunConfig) -> slice:
        """Which of an agent's envs are here."""
        ...

    def vectorization(self, config: RunConfig) -> Vectorization:
        """How they are stepped."""
        ...

    def agree(self, value: T) -> T:
        """What the process that writes gave."""
        ...

    def gather(self, value: T) -> list[T]:
        """What all processes gave, in their order, where it is written; elsewhere nothing."""
        ...

    def agent(self, config: RunConfig, spaces: tuple[gym.Space, gym.Space]) -> Agent:
        """The population, in the envs that are here."""
        ...

    def tracker(self, config: RunConfig, threshold: float | None) -> EpisodeTracker:
        """The episodes of the envs that are here; where it is written, of all."""
        ...

    def settle(self) -> None:
        """Let everybody know what a checkpoint must hold."""
        ...

    def stop(self, asked: list[int]) -> bool:
        """Whether all stop now. asked: signals that this process got; those of the others are added."""
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
    """In the place of what only the process that writes has: every method does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None
