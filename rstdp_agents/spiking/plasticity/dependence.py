"""How the size of a weight scales its own plasticity: f(w), of any shape, factor on one term of the spike pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from rstdp_agents.equations.three_factor import gap_factor


class Dependence(Protocol):
    """A factor for every weight."""

    def __call__(self, weight: Tensor) -> Tensor:
        """Factor of the shape of ``weight``."""
        ...


@dataclass(frozen=True)
class Constant:
    """f(w) = c: additive plasticity."""

    c: float = 1.0

    def __call__(self, weight: Tensor) -> Tensor:
        return torch.full_like(weight, self.c)


@dataclass(frozen=True)
class Identity:
    """f(w) = w: multiplicative plasticity."""

    def __call__(self, weight: Tensor) -> Tensor:
        return weight


@dataclass(frozen=True)
class Power:
    """f(w) = a w ** mu."""

    a: float = 1.0
    mu: float = 1.0

    def __call__(self, weight: Tensor) -> Tensor:
        return self.a * power(weight, self.mu)


@dataclass(frozen=True)
class PowerUpper:
    """f(w) = a (w_max - w) ** mu."""

    w_max: float
    a: float = 1.0
    mu: float = 1.0

    def __call__(self, weight: Tensor) -> Tensor:
        return self.a * power(self.w_max - weight, self.mu)


@dataclass(frozen=True)
class GapToBound:
    """`three_factor.gap_factor` of the gap to the upper bound, or to the lower one; weights stay within both."""

    w_min: float
    w_max: float
    mu: float
    is_upper: bool

    def __call__(self, weight: Tensor) -> Tensor:
        gap = self.w_max - weight if self.is_upper else weight - self.w_min
        return gap_factor(gap, self.w_max - self.w_min, self.mu)


@dataclass(frozen=True)
class Clamp:
    """f(w) = min(max(w, low), high)."""

    low: float
    high: float

    def __call__(self, weight: Tensor) -> Tensor:
        return weight.clamp(self.low, self.high)


def power(base: Tensor, exponent: float) -> Tensor:
    """``base ** exponent``; under a fractional exponent, which has no value there, a base below zero counts as zero."""
    return base**exponent if float(exponent).is_integer() else base.clamp(min=0.0) ** exponent
