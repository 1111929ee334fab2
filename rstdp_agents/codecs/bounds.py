"""Bounds that the spaces of an observation's parts declare."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.row_layout import Leaf

UNBOUNDED = 1e37
"""Bounds this large count as none, as do those beyond half the range of a wide type."""
PICTURE = 64
"""Entries from which a bounded Box of more than one dimension counts as a picture, whatever its numbers are."""


def numeric(rows: Rows) -> list[Leaf]:
    """The Boxes of an observation that are not pictures."""
    return [leaf for leaf in rows.leaves if isinstance(leaf.space, spaces.Box) and not is_picture(leaf.space)]


def own_bounds(boxes: list[Leaf]) -> tuple[np.ndarray, np.ndarray]:
    """``low`` and ``high`` of some Boxes, one after the other, as their spaces declare them."""
    low, high = (
        np.concatenate([getattr(leaf.space, end).reshape(-1) for leaf in boxes] or [[]]) for end in ("low", "high")
    )
    return low, high


def has_bounds(ends: np.ndarray, boxes: list[Leaf]) -> np.ndarray:
    """Which of the ``low`` or ``high`` of some leaves, one after the other, are real bounds and not the limits of their type."""
    most = [
        np.full(leaf.size, _widest(leaf.space.dtype) if isinstance(leaf.space, spaces.Box) else np.inf)
        for leaf in boxes
    ]
    return np.abs(ends.astype(np.float64)) < np.concatenate(most or [[]])


def _widest(kind: Any) -> float:
    """`UNBOUNDED`, or half the range of a type; the full range of 8 or 16 bits counts as a real bound."""
    if np.issubdtype(kind, np.floating):
        return min(UNBOUNDED, float(np.finfo(kind).max) / 2)
    return np.iinfo(kind).max / 2 if np.issubdtype(kind, np.integer) and kind.itemsize > 2 else np.inf


def is_picture(space: gym.Space) -> TypeGuard[spaces.Box]:
    """Whether a space is an image: a bounded Box of two to four dimensions, of bytes or not small."""
    return (
        isinstance(space, spaces.Box)
        and len(space.shape) in (2, 3, 4)
        and (space.dtype == np.uint8 or math.prod(space.shape) >= PICTURE)
        and space.is_bounded()
        and bool((space.low < space.high).all())
    )
