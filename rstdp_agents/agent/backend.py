"""What runs the parts of an agent: two implementations, `torch_backend.TorchBackend` and `fused.backend.FusedBackend`."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from torch import Tensor

from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.codecs.transition import Transition


class Policy(Protocol):
    """A population that acts and does not learn: its own random numbers and membranes, the weights as they are.

    `rates` and `act` draw from the same numbers; whatever the population trains in, ``envs`` are those of the policy.
    """

    def act(self, obs: np.ndarray, greedy: bool) -> np.ndarray:
        """Actions ``(agents, envs, *action)`` for observations ``(agents, envs, *obs)``; greedy: of the most active group."""
        ...

    def rates(self, obs: np.ndarray) -> Tensor:
        """Rates that decide, ``(agents, envs, groups)``, in one window for observations ``(agents, envs, *obs)``."""
        ...

    def reset(self, done: np.ndarray) -> None:
        """Membranes at rest in the envs where ``done (agents, envs)``."""
        ...


class Backend(Protocol):
    """Runs a population's env steps; its state lies in the tensors of ``parts``, and in `tensors`."""

    name: str
    parts: AgentParts

    def begin(self, obs: np.ndarray) -> np.ndarray:
        """First actions ``(agents, envs, *action)`` of an experiment, for observations ``(agents, envs, *obs)``."""
        ...

    def step(self, t: Transition) -> np.ndarray:
        """Learn from what came of the last actions, forget what ended, count it, and choose the next actions."""
        ...

    def reset(self, done: np.ndarray) -> None:
        """Forget the episode in the envs where ``done (agents, envs)``."""
        ...

    def sync(self) -> None:
        """Bring the tensors of the parts up to date, for whoever looks at them or writes to them."""
        ...

    def spikes(self) -> tuple[Tensor, ...]:
        """Spikes of the input and of every layer in the last window, ``(ticks, agents, envs, neurons)``; no copies."""
        ...

    def features(self) -> Tensor:
        """Input rates of the last window, scaled to sum 1, ``(agents, envs, pre)``; no copy."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """State of its own that a checkpoint holds beside that of the parts, by name."""
        ...

    def adopt(self, agents: slice, other: Any) -> None:
        """Let some agents have the numbers of ``other``, of the same class and of one agent, where agents can differ in them."""
        ...

    def policy(self, envs: int, seeds: tuple[int, ...]) -> Policy:
        """The population at work, with what it has learnt. seeds: one per agent, apart from those of training."""
        ...
