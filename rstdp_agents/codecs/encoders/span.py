"""Numbers of any magnitude, rescaled so that the precision of rates can tell them apart."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

SMALLEST, LARGEST = 1e-15, 1e15
"""Widths of a range between which single precision can hold the squares of its numbers and of their inverses."""


class Span:
    """Expresses numbers between ``low`` and ``high (entries,)`` relative to an origin, in a unit, and then rounds them.

    Numbers further from zero than the width of their range are taken relative to the end next to zero; if single precision
    cannot square the width, the width is their unit. Both happen in the numbers' own precision, so that what it tells apart
    stays apart. Anything else (origin 0, unit 1) is only rounded.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        width, near = high - low, np.clip(0.0, low, high)
        fits = (width == 0) | ((width > SMALLEST) & (width < LARGEST))
        origin, unit = np.where(np.abs(near) > width, near, 0.0), np.where(fits, 1.0, width)
        self._plain = not origin.any() and bool((unit == 1.0).all())
        self._origin, self._unit = torch.from_numpy(origin), torch.from_numpy(unit)
        self._device, self._dtype = torch.device("cpu"), torch.float64

    @property
    def unit(self) -> np.ndarray:
        """Units of the numbers, ``(entries,)``."""
        return self._unit.numpy()

    def relative(self, numbers: Tensor) -> Tensor:
        """``numbers (..., entries)`` of any type, relative to origin and unit, rounded to the type of rates, on their device."""
        if not self._plain:
            origin, unit = (t.to(numbers.device) for t in (self._origin, self._unit))
            numbers = (numbers.double() - origin) / unit
        return numbers.to(self._device, self._dtype)

    def place(self, points: np.ndarray) -> np.ndarray:
        """``points (..., entries)`` relative to origin and unit, before rounding."""
        return (points - self._origin.numpy()) / self.unit

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Round to this type, and bring numbers to this device."""
        self._device, self._dtype = device, dtype
