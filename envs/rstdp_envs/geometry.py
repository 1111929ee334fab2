"""Lengths in the plane, with the same bits for single numbers, for arrays, and on every machine."""

from __future__ import annotations

from typing import Any


def length(x: Any, y: Any, maths: Any) -> Any:
    """Of vectors (x, y): numbers if ``maths`` is `single`, arrays if it is NumPy."""
    return maths.sqrt(x * x + y * y)


def within_unit(x: Any, y: Any, maths: Any) -> tuple[Any, Any]:
    """(x, y) if its length is 1 at most, else shortened to 1."""
    longer = maths.maximum(length(x, y, maths), 1.0)
    return x / longer, y / longer


def between_walls(x: Any, maths: Any) -> Any:
    """``x``, which walls at -1 and 1 stop."""
    return maths.minimum(maths.maximum(x, -1.0), 1.0)
