"""Convolutions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.spiking.synapses.convolution import Convolution, convolve, correlate

PADDING_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


@dataclass(frozen=True)
class Conv(Convolution):
    """A convolution over any number of spatial axes; weight ``(agents, out, in / groups, *kernel)``."""

    padding: int | tuple[int, ...] | Literal["same"] = 0
    """Positions added on either side of an axis; "same" adds as many as keep the size (stride 1 only)."""
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros"
    """What the added positions hold."""

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.require(
            self.padding_mode in PADDING_MODES,
            f"`padding_mode` must be one of {', '.join(PADDING_MODES)}; received {self.padding_mode!r}",
        )
        if self.padding == "same":
            validate.require(
                set(self.taps.stride) == {1}, f'`stride` must be 1 with padding "same"; received {self.stride}'
            )
        largest = {"reflect": -1, "circular": 0}.get(self.padding_mode)
        for size, sides in zip(self.per_axis("size"), self.sides):
            validate.not_negative("padding", min(sides), "positions")
            validate.require(
                largest is None or max(sides) <= size + largest,
                f"`padding` of {max(sides)} positions is more than {self.padding_mode} can fill from a `size` of {size}",
            )
        for axis, n in zip(self.space, self.post_shape[1:]):
            validate.positive(f"{axis} of the output", n, "positions")

    @property
    def sides(self) -> tuple[tuple[int, int], ...]:
        """Positions added before and after each spatial axis."""
        if self.padding == "same":
            return tuple(((reach - 1) // 2, reach // 2) for reach in self.taps.reach)
        return tuple((n, n) for n in self.per_axis("padding"))

    @property
    def post_axes(self) -> dict[str, int]:
        sizes = (
            (n + sum(sides) - reach) // stride + 1
            for n, sides, reach, stride in zip(self.per_axis("size"), self.sides, self.taps.reach, self.taps.stride)
        )
        return {"out_channels": self.out_channels, **dict(zip(self.space, sizes))}

    @property
    def weight_axes(self) -> dict[str, int]:
        channels = {"out_channels": self.out_channels, "in_channels_of_group": self.in_channels // self.groups}
        return {**channels, **self.kernel_axes}

    def current(self, pre: Tensor, weight: Tensor) -> Tensor:
        """One grouped convolution of the padded window; shapes as in `Synapse.current`."""
        self.check_current(pre, weight)
        return convolve(self.padded(pre), weight, self.taps, self.groups)

    def hebb(self, post: Tensor, pre: Tensor) -> Tensor:
        """Products summed over ticks and positions; shapes as in `Synapse.hebb`."""
        self.check_hebb(post, pre)
        return correlate(self.padded(pre), post, self.taps, self.groups)

    def padded(self, pre: Tensor) -> Tensor:
        """``pre`` with its spatial axes padded."""
        if not any(map(sum, self.sides)):
            return pre
        flat = [n for sides in reversed(self.sides) for n in sides]
        return F.pad(pre.flatten(0, 2), flat, PADDING_MODES[self.padding_mode]).unflatten(0, pre.shape[:3])


@dataclass(frozen=True)
class Conv1d(Conv):
    """The convolution of ``torch.nn.Conv1d``; weight ``(agents, out, in / groups, length)``."""

    space: ClassVar[tuple[str, ...]] = ("length",)


@dataclass(frozen=True)
class Conv2d(Conv):
    """The convolution of ``torch.nn.Conv2d``; weight ``(agents, out, in / groups, height, width)``."""

    space: ClassVar[tuple[str, ...]] = ("height", "width")
