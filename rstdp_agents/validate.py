"""Checks of parameters and inputs whose errors are written for people: the name, what came, what was expected."""

from __future__ import annotations

import math

from torch import Tensor


def require(condition: bool, message: str) -> None:
    """Raise ``ValueError(message)`` unless ``condition`` holds."""
    if not condition:
        raise ValueError(message)


def positive(name: str, value: float, unit: str = "") -> None:
    """A finite number above zero."""
    require(math.isfinite(value) and value > 0, f"`{name}` must be positive{_in(unit)}; received {value}")


def not_negative(name: str, value: float, unit: str = "") -> None:
    """A finite number of zero or more."""
    require(math.isfinite(value) and value >= 0, f"`{name}` must not be negative{_in(unit)}; received {value}")


def within(name: str, value: float, low: float, high: float) -> None:
    """A number of the closed interval [low, high]."""
    require(low <= value <= high, f"`{name}` must be between {low} and {high}; received {value}")


def ordered(low_name: str, low: float, high_name: str, high: float) -> None:
    """Two bounds the right way round."""
    require(low < high, f"`{low_name}` must be below `{high_name}`; received {low} and {high}")


def axes(name: str, tensor: Tensor, **expected: int | None) -> None:
    """``tensor`` has exactly these axes, in this order, with these sizes (``None``: any size)."""
    got = tuple(tensor.shape)
    if len(got) != len(expected) or any(size is not None and size != n for n, size in zip(got, expected.values())):
        want = ", ".join(axis if size is None else f"{axis}={size}" for axis, size in expected.items())
        raise ValueError(f"`{name}` must have the axes ({want}); received the shape {got}")


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""
