"""Bounds on weights: soft ones shrink the update near the bound, the hard one cuts the weight (`update.apply_update`).

A soft bound is a factor of the gap between the weight and its bound. Potentiation meets the upper bound, depression the
lower one, each with its own form; a missing bound leaves its part alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from rstdp_agents.base import validate


class Bound(Protocol):
    """A limit and what remains of an update at a distance from it."""

    @property
    def limit(self) -> float:
        """The bound itself."""
        ...

    def factor(self, gap: Tensor) -> Tensor:
        """Factor on the update of a weight that is ``gap`` inside the bound (negative: past it)."""
        ...


@dataclass(frozen=True)
class PowerBound:
    """(gap / scale) ** exponent. Exponent 1 is the multiplicative bound; ``scale`` = w_max - w_min makes it a scaled one.

    Past the bound the sign turns, for any exponent: the update pulls the weight back, and is never NaN.
    """

    limit: float
    exponent: float = 1.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        validate.positive("exponent", self.exponent)
        validate.positive("scale", self.scale)

    def factor(self, gap: Tensor) -> Tensor:
        share = gap / self.scale
        return share.sign() * share.abs() ** self.exponent


@dataclass(frozen=True)
class SharpBound:
    """1 inside the bound, 0 at it and past it."""

    limit: float

    def factor(self, gap: Tensor) -> Tensor:
        return (gap > 0).to(gap)


def bounded_change(weight: Tensor, pos: Tensor, neg: Tensor, upper: Bound | None, lower: Bound | None) -> Tensor:
    """Change of bounded weights: dw = pos * upper(w_max - w) - neg * lower(w - w_min), all of the shape of ``weight``.

    pos, neg: the parts of the change that raise and lower the weight, both as magnitudes (see `update.modulate_parts`).
    """
    up = pos if upper is None else pos * upper.factor(upper.limit - weight)
    down = neg if lower is None else neg * lower.factor(weight - lower.limit)
    return up - down
