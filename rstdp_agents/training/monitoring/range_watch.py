"""How many observations lie beyond the range that the encoder covers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.codecs.bounds import numeric, own_bounds
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.observation_layout import Rows

TOLERANCE = 1e-6
"""Share of its range by which a number may leave it: rounding."""


class Covered(NamedTuple):
    """The numbers of an observation that a code covers, and between which ends."""

    columns: np.ndarray
    """Of a row, or of a flattened array."""
    low: np.ndarray
    high: np.ndarray


def covered(rows: Rows, p: EncoderConfig) -> Covered:
    """Ends of the configuration, else of the space; pictures have their own, and parts that may be absent do not count.

    Nothing where the code has cells for whatever comes.
    """
    if p.code == "hashed":
        return Covered(np.zeros(0, int), np.zeros(0), np.zeros(0))
    boxes = numeric(rows)
    leaves = rows.leaves if p.code == "tuples" and p.low and p.high else boxes
    columns = np.concatenate([np.arange(leaf.first, leaf.first + leaf.size) for leaf in leaves] or [[]]).astype(int)
    always = np.repeat([leaf.within is None for leaf in leaves], [leaf.size for leaf in leaves]).astype(bool)
    ends = zip((p.low, p.high), own_bounds(boxes), strict=True)
    low, high = (np.array(given if len(given) == columns.size else own, np.float64) for given, own in ends)
    with np.errstate(over="ignore"):
        room = high - low
    room = TOLERANCE * np.where(np.isfinite(room), room, 0.0)
    return Covered(columns[always], (low - room)[always], (high + room)[always])


class RangeWatch:
    """Counts the observations of each agent that have a number beyond its range.

    outside: counts ``(agents,)``; of so many observations, ``total``, of each agent.
    """

    def __init__(self, rows: Rows, p: EncoderConfig, outside: list[int], total: int) -> None:
        self.covered = covered(rows, p)
        self.outside, self.total = np.array(outside, dtype=np.int64), total

    def add(self, obs: np.ndarray) -> None:
        """Count observations ``(agents, envs, *obs)``."""
        columns, low, high = self.covered
        seen = obs.reshape(*obs.shape[:2], -1)[..., columns]
        self.outside += ((seen < low) | (seen > high)).any(2).sum(1)
        self.total += obs.shape[1]

    def share(self) -> Tensor:
        """Share of each agent's observations since `clear`, ``(agents,)``."""
        return torch.from_numpy(self.outside / max(1, self.total))

    def clear(self) -> None:
        """Start a new interval."""
        self.outside[:], self.total = 0, 0
