"""What convolutions and transposed convolutions share: sizes per axis, and three maps that are each other's adjoints.

A population is one grouped convolution: every agent (in `correlate`, every agent and env) is a group of channels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch.nn.functional as F
from torch import Tensor
from torch.nn.grad import conv1d_weight, conv2d_weight

from rstdp_agents.base import validate
from rstdp_agents.spiking.synapses.geometry import Geometry


class Taps(NamedTuple):
    """How a kernel moves over its input, one number per spatial axis."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]

    @property
    def reach(self) -> tuple[int, ...]:
        """Positions from the first to the last tap of a kernel."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation))


@dataclass(frozen=True)
class Convolution(Geometry):
    """Channels, sizes and kernel of a synapse with shared weights; a number that stands for an axis counts for all axes."""

    space: ClassVar[tuple[str, ...]]
    """Names of the spatial axes."""

    in_channels: int
    """Channels of the presynaptic layer."""
    out_channels: int
    """Channels of the postsynaptic layer."""
    size: int | tuple[int, ...]
    """Spatial size of the presynaptic layer."""
    kernel: int | tuple[int, ...]
    """Size of the kernel."""
    stride: int | tuple[int, ...] = 1
    """Step of the kernel."""
    dilation: int | tuple[int, ...] = 1
    """Distance between neighbouring taps of the kernel."""
    groups: int = 1
    """Number of groups of channels that do not see each other."""

    def __post_init__(self) -> None:
        for name in ("in_channels", "out_channels", "groups"):
            validate.positive(name, getattr(self, name))
        for name in ("size", "kernel", "stride", "dilation"):
            for value in self.per_axis(name):
                validate.positive(name, value)
        for name in ("in_channels", "out_channels"):
            channels = getattr(self, name)
            validate.require(
                channels % self.groups == 0, f"`{name}` must divide by `groups` = {self.groups}; received {channels}"
            )

    def per_axis(self, name: str) -> tuple[int, ...]:
        """Field ``name`` as one number per spatial axis; ``ValueError`` unless it is a number or has one per axis."""
        value = getattr(self, name)
        spread = value if isinstance(value, tuple) else (value,) * len(self.space)
        validate.require(
            len(spread) == len(self.space) and all(isinstance(n, int) for n in spread),
            f"`{name}` must be a whole number or one for each of ({', '.join(self.space)}); received {value!r}",
        )
        return spread

    @property
    def taps(self) -> Taps:
        """The kernel with everything per axis."""
        return Taps(self.per_axis("kernel"), self.per_axis("stride"), self.per_axis("dilation"))

    @property
    def pre_axes(self) -> dict[str, int]:
        return {"in_channels": self.in_channels, **dict(zip(self.space, self.per_axis("size")))}

    @property
    def kernel_axes(self) -> dict[str, int]:
        """The last axes of the weight."""
        return {f"kernel_{axis}": k for axis, k in zip(self.space, self.per_axis("kernel"))}


def convolve(x: Tensor, weight: Tensor, taps: Taps, groups: int) -> Tensor:
    """Every agent's own convolution, unpadded, not flipped (torch's): y(j) = sum_u w(u) x(j stride + u dilation).

    x: ``(ticks, agents, envs, in, *space)``; weight: ``(agents, out, in / groups, *kernel)``.
    Returns ``(ticks, agents, envs, out, *space_out)``.
    """
    conv = F.conv1d if len(taps.kernel) == 1 else F.conv2d
    agents = weight.shape[0]
    y = conv(_agents_as_channels(x), weight.flatten(0, 1), None, taps.stride, 0, taps.dilation, agents * groups)
    return _agents_as_axis(y, x.shape[0], agents)


def convolve_transposed(y: Tensor, weight: Tensor, taps: Taps, groups: int) -> Tensor:
    """The adjoint of `convolve` in x: every y(j) adds w(u) y(j) to position j stride + u dilation.

    y: ``(ticks, agents, envs, out, *space_out)``; weight as in `convolve`. Returns the axes of x, whose space is as large
    as the kernel reaches: ``(n_out - 1) stride + reach``.
    """
    conv = F.conv_transpose1d if len(taps.kernel) == 1 else F.conv_transpose2d
    agents = weight.shape[0]
    x = conv(
        _agents_as_channels(y), weight.flatten(0, 1), stride=taps.stride, groups=agents * groups, dilation=taps.dilation
    )
    return _agents_as_axis(x, y.shape[0], agents)


def correlate(x: Tensor, y: Tensor, taps: Taps, groups: int) -> Tensor:
    """Derivative of ``sum(y * convolve(x, weight))`` in the weight, per agent and env, summed over ticks and positions.

    x: ``(ticks, agents, envs, in, *space)``; y: ``(ticks, agents, envs, out, *space_out)``.
    Returns ``(agents, envs, out, in / groups, *kernel)``.
    """
    weight_gradient: Callable[..., Tensor] = conv1d_weight if len(taps.kernel) == 1 else conv2d_weight
    _, agents, envs, channels, *_ = x.shape
    learners, shape = agents * envs, (y.shape[3], channels // groups, *taps.kernel)
    gradient = weight_gradient(
        x.flatten(1, 3), (learners * shape[0], *shape[1:]), y.flatten(1, 3), taps.stride, 0, taps.dilation,
        learners * groups,
    )  # fmt: skip
    return gradient.reshape(agents, envs, *shape)


def _agents_as_channels(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(2, 3).flatten(0, 1)


def _agents_as_axis(x: Tensor, ticks: int, agents: int) -> Tensor:
    return x.unflatten(0, (ticks, -1)).unflatten(2, (agents, -1)).transpose(1, 2)
