"""Images to firing rates: channels of a map, as convolutions take them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.codecs.encoders.base import Precise
from rstdp_agents.codecs.encoders.options import ImageCode
from rstdp_agents.codecs.encoders.span import Span

if TYPE_CHECKING:
    from rstdp_agents.codecs.encoders import Encoder


class ImageEncoder(Precise):
    """One or more input neurons per channel and pixel of an image; ``shape (channels, height, width)``.

    intensity: the rate grows with the pixel's brightness. on-off: a channel for pixels brighter than the image's mean and one
    for darker ones. one-hot: a channel for each of ``levels`` values, for images of symbols (grid worlds).
    """

    def __init__(self, space: gym.spaces.Box, code: ImageCode, levels: int) -> None:
        self.code, self.levels = code, levels
        self.axes, self.pixels = channels_first(space.shape)
        channels = self.pixels[0] * {"intensity": 1, "on-off": 2, "one-hot": levels}[code]
        self.shape = (channels, *self.pixels[1:])
        low, high = (np.asarray(bound, dtype=np.float64) for bound in (space.low, space.high))
        bounded = bool((np.isfinite(low) & np.isfinite(high) & (low < high)).all())
        validate.require(bounded, f"images must have a lower and an upper bound; received {space}")
        self._span = Span(low, high)
        self._low = torch.from_numpy(self._span.place(low))
        self._scale = torch.from_numpy(self._span.unit / (high - low))

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def rates(self, obs: Tensor) -> Tensor:
        """``(agents, envs, *image)`` -> ``(agents, envs, channels * height * width)``."""
        if self.code == "one-hot":
            value = self._ordered(self._span.relative(obs) - self._low)[..., None, :, :]
            levels = torch.arange(self.levels, device=value.device).reshape(-1, 1, 1)
            return (value == levels).to(self._low.dtype).flatten(2)
        bright = self._ordered((self._span.relative(obs) - self._low) * self._scale)
        if self.code == "intensity":
            return bright.clamp_(0.0, 1.0).flatten(2)
        contrast = bright - bright.mean((-2, -1), keepdim=True)
        return torch.stack([contrast, -contrast], -3).clamp_(0.0, 1.0).flatten(2)

    def to(self, device: torch.device, dtype: torch.dtype) -> ImageEncoder:
        self._span.to(device, dtype)
        self._low, self._scale = (t.to(device=device, dtype=dtype) for t in (self._low, self._scale))
        return self

    def _ordered(self, obs: Tensor) -> Tensor:
        """``(agents, envs, *image)`` -> ``(agents, envs, channels, height, width)``."""
        return obs.permute(0, 1, *(axis + 2 for axis in self.axes)).reshape(*obs.shape[:2], *self.pixels)


def channels_first(shape: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, int, int]]:
    """The order of axes that puts the channels of an image first, and its ``(channels, height, width)`` then.

    Two axes are height and width. Of three, the shorter of first and last holds the channels (the last if equal), be they
    colours or stacked frames. Of four, the first holds stacked frames, and both count as channels.
    """
    if len(shape) == 2:
        return (0, 1), (1, *shape)
    if len(shape) == 3 and shape[0] < shape[2]:
        return (0, 1, 2), shape
    if len(shape) == 3:
        return (2, 0, 1), (shape[2], shape[0], shape[1])
    validate.require(len(shape) == 4, f"images have two axes, three, or four with stacked frames; received {shape}")
    frames, (order, (channels, *size)) = shape[0], channels_first(shape[1:])
    return (0, *(axis + 1 for axis in order)), (frames * channels, size[0], size[1])


def image_shape(encoder: Encoder) -> tuple[int, ...]:
    """``(channels, height, width)`` of an image encoder, ``(pre,)`` of any other."""
    return encoder.shape if isinstance(encoder, ImageEncoder) else (encoder.size,)
