"""Numbers of any magnitude, brought to one that the precision of rates can tell apart."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

SMALLEST, LARGEST = 1e-15, 1e15
"""Widths between which single precision computes with squares of numbers and of their inverses."""


class Span:
    """Counts numbers that lie between ``low`` and ``high (entries,)`` from an origin, in a unit, and then rounds them.

    Numbers that lie further from zero than from each other are counted from the end next to it, and where their range is
    beyond what single precision can square, it is their unit: both in the precision in which they come, so that what it
    tells apart stays apart. Anything else (origin 0, unit 1) is only rounded.
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
        """What numbers are measured in, ``(entries,)``."""
        return self._unit.numpy()

    def relative(self, numbers: Tensor) -> Tensor:
        """``numbers (..., entries)`` of any type, relative to origin and unit, rounded to the type of rates, on their device."""
        if not self._plain:
            origin, unit = (t.to(numbers.device) for t in (self._origin, self._unit))
            numbers = (numbers.double() - origin) / unit
        return numbers.to(self._device, self._dtype)

    def place(self, points: np.ndarray) -> np.ndarray:
        """``points (..., entries)`` relative to origin and unit, as they are before rounding."""
        return (points - self._origin.numpy()) / self.unit

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Round to this type, and bring numbers to this device."""
        self._device, self._dtype = device, dtype
