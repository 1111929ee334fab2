"""The contract of a synapse: two linear maps, and nothing else."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Synapse(Protocol):
    """Geometry of a projection, without weights, traces or rules of its own.

    Weights are handed in, ``(agents, *weight)``; spikes are ``(ticks, agents, envs, *neurons)``.
    """

    @property
    def pre_shape(self) -> tuple[int, ...]:
        """Shape of the presynaptic layer."""
        ...

    @property
    def post_shape(self) -> tuple[int, ...]:
        """Shape of the postsynaptic layer."""
        ...

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weight of one agent, laid out as torch does."""
        ...

    def current(self, pre: Tensor, weight: Tensor) -> Tensor:
        """Postsynaptic current ``(ticks, agents, envs, *post)`` of the presynaptic activity ``(ticks, agents, envs, *pre)``."""
        ...

    def hebb(self, post: Tensor, pre: Tensor) -> Tensor:
        """Correlation of both sides summed over ticks, ``(agents, envs, *weight)``.

        Exactly the derivative of ``sum(post * current(pre, weight))`` with respect to the weight, per agent and env.
        post: ``(ticks, agents, envs, *post)``; pre: ``(ticks, agents, envs, *pre)``.
        """
        ...

    def accumulate(self, z: Tensor, post: Tensor, pre: Tensor, decay: float, gain: float) -> None:
        """In place: z <- decay z + gain hebb(post, pre), z ``(agents, envs, *weight)``."""
        ...
