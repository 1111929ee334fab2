"""Transposed convolutions ("deconvolutions"), and the way back from their output to their input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.spiking.synapses.convolution import Convolution, convolve, convolve_transposed, correlate


@dataclass(frozen=True)
class ConvTranspose(Convolution):
    """A transposed convolution over any number of spatial axes; weight ``(agents, in, out / groups, *kernel)``.

    Input i reaches output j at tap u if  j = i stride + u dilation - first,  where `padding` sets ``first`` and the
    size of the output:

    * a number, as in torch: first = padding, size = (n - 1) stride + reach - 2 padding + output_padding;
    * "valid": first = 0, size = n stride + max(reach - stride, 0);
    * "same": size = n stride, and first = floor((reach - stride) / 2), at least 0.

    n is the size of the input and reach = dilation (kernel - 1) + 1. The last two are the conventions of
    ``jax.lax.conv_transpose`` (and so of ngc-learn), which counts its taps from the other end: its filter
    ``(*kernel, in, out)`` is our weight ``filter.permute(2, 3, 0, 1).flip(2, 3)`` (in one dimension
    ``filter.permute(1, 2, 0).flip(2)``).
    """

    padding: int | tuple[int, ...] | Literal["same", "valid"] = 0
    """Positions cut off either side of the output, or a convention for its size."""
    output_padding: int | tuple[int, ...] = 0
    """Positions added behind the output (with a number as `padding` only)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for value in self.per_axis("output_padding"):
            validate.not_negative("output_padding", value, "positions")
        if isinstance(self.padding, str):
            validate.require(
                self.padding in ("same", "valid"),
                f'`padding` must be numbers, "same" or "valid"; received {self.padding!r}',
            )
            validate.require(
                not any(self.per_axis("output_padding")),
                f'`output_padding` must be 0 with padding "{self.padding}"; received {self.output_padding}',
            )
        else:
            for value in self.per_axis("padding"):
                validate.not_negative("padding", value, "positions")
        for axis, n in zip(self.space, self.post_shape[1:]):
            validate.positive(f"{axis} of the output", n, "positions")

    @property
    def cut(self) -> tuple[tuple[int, int], ...]:
        """Positions cut off before and after each axis of all that the kernels reach; negative: added, with zeros."""
        reaches = zip(self.per_axis("size"), self.taps.reach, self.taps.stride)
        if self.padding == "valid":
            return tuple((0, min(reach - stride, 0)) for _, reach, stride in reaches)
        if self.padding == "same":
            over = [reach - stride for _, reach, stride in reaches]
            return tuple((max(n // 2, 0), n - max(n // 2, 0)) for n in over)
        return tuple((p, p - more) for p, more in zip(self.per_axis("padding"), self.per_axis("output_padding")))

    @property
    def post_axes(self) -> dict[str, int]:
        sizes = (
            (n - 1) * stride + reach - sum(cut)
            for n, reach, stride, cut in zip(self.per_axis("size"), self.taps.reach, self.taps.stride, self.cut)
        )
        return {"out_channels": self.out_channels, **dict(zip(self.space, sizes))}

    @property
    def weight_axes(self) -> dict[str, int]:
        channels = {"in_channels": self.in_channels, "out_channels_of_group": self.out_channels // self.groups}
        return {**channels, **self.kernel_axes}

    def current(self, pre: Tensor, weight: Tensor) -> Tensor:
        """One grouped transposed convolution, cut to size; shapes as in `Synapse.current`."""
        self.check_current(pre, weight)
        return self._resized(convolve_transposed(pre, weight, self.taps, self.groups), -1)

    def hebb(self, post: Tensor, pre: Tensor) -> Tensor:
        """Products summed over ticks and positions; shapes as in `Synapse.hebb`."""
        self.check_hebb(post, pre)
        return correlate(self._resized(post, 1), pre, self.taps, self.groups)

    def backtransmit(self, post: Tensor, weight: Tensor) -> Tensor:
        """Output activity sent back to the input: the derivative of ``sum(post * current(pre, weight))`` in pre.

        post: ``(ticks, agents, envs, *post)``. Returns ``(ticks, agents, envs, *pre)``.
        """
        validate.axes("weight", weight, agents=None, **self.weight_axes)
        validate.axes("post", post, ticks=None, agents=weight.shape[0], envs=None, **self.post_axes)
        return convolve(self._resized(post, 1), weight, self.taps, self.groups)

    def _resized(self, x: Tensor, sign: int) -> Tensor:
        """``x`` with what `cut` takes off put back as zeros (sign 1), or taken off (sign -1)."""
        flat = [sign * n for sides in reversed(self.cut) for n in sides]
        return F.pad(x, flat) if any(flat) else x


@dataclass(frozen=True)
class ConvTranspose1d(ConvTranspose):
    """The transposed convolution of ``torch.nn.ConvTranspose1d``; weight ``(agents, in, out / groups, length)``."""

    space: ClassVar[tuple[str, ...]] = ("length",)


@dataclass(frozen=True)
class ConvTranspose2d(ConvTranspose):
    """The transposed convolution of ``torch.nn.ConvTranspose2d``; weight ``(agents, in, out / groups, height, width)``."""

    space: ClassVar[tuple[str, ...]] = ("height", "width")
