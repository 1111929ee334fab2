"""What a synapse with named axes gets for nothing: its shapes, and errors that say which axis does not fit."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from rstdp_agents.base import validate


class Geometry(ABC):
    """A `Synapse` that names its axes; shapes and checks follow from the names.

    A new synapse is `pre_axes`, `post_axes`, `weight_axes` and the two maps `current` and `hebb` of `Synapse`.
    """

    @property
    @abstractmethod
    def pre_axes(self) -> dict[str, int]:
        """Name and size of every axis of the presynaptic layer."""

    @property
    @abstractmethod
    def post_axes(self) -> dict[str, int]:
        """Name and size of every axis of the postsynaptic layer."""

    @property
    @abstractmethod
    def weight_axes(self) -> dict[str, int]:
        """Name and size of every axis of one agent's weight."""

    @abstractmethod
    def current(self, pre: Tensor, weight: Tensor) -> Tensor:
        """As in `Synapse.current`."""

    @abstractmethod
    def hebb(self, post: Tensor, pre: Tensor) -> Tensor:
        """As in `Synapse.hebb`."""

    def accumulate(self, z: Tensor, post: Tensor, pre: Tensor, decay: float, gain: float) -> None:
        """As in `Synapse.accumulate`; a synapse may do it without the room that `hebb` takes."""
        z.mul_(decay).add_(self.hebb(post, pre), alpha=gain)

    @property
    def pre_shape(self) -> tuple[int, ...]:
        return tuple(self.pre_axes.values())

    @property
    def post_shape(self) -> tuple[int, ...]:
        return tuple(self.post_axes.values())

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return tuple(self.weight_axes.values())

    def check_current(self, pre: Tensor, weight: Tensor) -> None:
        """Refuse arguments of `current` whose axes do not fit (``ValueError``)."""
        shapes_fit = pre.shape[3:] == self.pre_shape and weight.shape[1:] == self.weight_shape
        if shapes_fit and pre.shape[1] == weight.shape[0]:
            return
        validate.axes("weight", weight, agents=None, **self.weight_axes)
        validate.axes("pre", pre, ticks=None, agents=weight.shape[0], envs=None, **self.pre_axes)

    def check_hebb(self, post: Tensor, pre: Tensor) -> None:
        """Refuse arguments of `hebb` whose axes do not fit (``ValueError``)."""
        if pre.shape[3:] == self.pre_shape and post.shape == pre.shape[:3] + self.post_shape:
            return
        validate.axes("pre", pre, ticks=None, agents=None, envs=None, **self.pre_axes)
        ticks, agents, envs = pre.shape[:3]
        validate.axes("post", post, ticks=ticks, agents=agents, envs=envs, **self.post_axes)
