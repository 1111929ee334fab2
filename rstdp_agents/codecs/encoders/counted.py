"""Integers too large for floating point to tell apart, taken relative to one of them."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from rstdp_agents.codecs.bounds import has_bounds, is_picture
from rstdp_agents.codecs.encoders.base import Encoder, Precise
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.row_layout import Leaf

EXACT = 2**53
"""Integers beyond this are not all distinct in double precision."""


class Counted(Precise):
    """An encoder of integers relative to ``first (entries,)``, which is subtracted before anything is rounded."""

    def __init__(self, encoder: Encoder, first: np.ndarray) -> None:
        self.encoder, self.first = encoder, first

    @property
    def size(self) -> int:
        return self.encoder.size

    def rates(self, obs: Tensor) -> Tensor:
        """Integers ``(agents, envs, *entries)`` -> ``(agents, envs, size)``."""
        first = torch.from_numpy(self.first).to(obs.device)
        return self.encoder.rates(obs - first.reshape(obs.shape[2:]))

    def to(self, device: torch.device, dtype: torch.dtype) -> Counted:
        self.encoder = self.encoder.to(device, dtype)
        return self


def far_off(space: gym.Space, p: EncoderConfig) -> np.ndarray | None:
    """Lowest value of each entry of an integer array if it is near `EXACT` or beyond, else 0; None if none is."""
    if isinstance(space, spaces.Box):
        whole = np.issubdtype(space.dtype, np.integer) and not is_picture(space)
        known = whole and has_bounds(space.low.reshape(-1), [Leaf("", space, 0, space.low.size)]).all()
        low = p.low or (space.low.reshape(-1).tolist() if known else ())
    else:
        low = np.reshape(getattr(space, "start", 0), -1).tolist()
        whole = isinstance(space, spaces.MultiDiscrete) or (isinstance(space, spaces.Discrete) and p.code == "tuples")
    far = [2 * abs(number) >= EXACT for number in low] if whole else []
    return np.array([int(number) * beyond for number, beyond in zip(low, far)], dtype=np.int64) if any(far) else None


def counted_from(first: np.ndarray, space: gym.Space, p: EncoderConfig) -> tuple[gym.Space, EncoderConfig]:
    """An array space whose numbers are those of ``space`` minus ``first (entries,)``, and the configuration for it."""
    own = (space.low, space.high) if isinstance(space, spaces.Box) else ((), ())
    low, high = (
        tuple(number - base for number, base in zip(given or np.reshape(ends, -1).tolist(), first.tolist()))
        for given, ends in zip((p.low, p.high), own)
    )
    p = replace(p, low=low, high=high)
    if isinstance(space, spaces.MultiDiscrete):
        return spaces.MultiDiscrete(space.nvec, start=space.start - first.reshape(space.shape)), p
    if isinstance(space, spaces.Discrete):
        return spaces.Discrete(space.n), p
    return spaces.Box(-np.inf, np.inf, space.shape, np.int64), p
