"""Checks of parameters and inputs whose errors are written for people: the name, what was received, what was expected."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def require(condition: bool, message: str) -> None:
    """Raise ``ValueError(message)`` unless ``condition`` holds."""
    if not condition:
        raise ValueError(message)


def positive(name: str, value: float, unit: str = "") -> None:
    """A finite number above zero."""
    require(math.isfinite(value) and value > 0, f"`{name}` must be positive{_in(unit)}; received {value}")


def not_negative(name: str, value: float, unit: str = "") -> None:
    """A finite number, zero or more."""
    require(math.isfinite(value) and value >= 0, f"`{name}` must not be negative{_in(unit)}; received {value}")


def within(name: str, value: float, low: float, high: float) -> None:
    """A number in the closed interval [low, high]."""
    require(low <= value <= high, f"`{name}` must be between {low} and {high}; received {value}")


def ordered(low_name: str, low: float, high_name: str, high: float) -> None:
    """Two bounds in ascending order."""
    require(low < high, f"`{low_name}` must be below `{high_name}`; received {low} and {high}")


def axes(name: str, tensor: Tensor, **expected: int | None) -> None:
    """``tensor`` has exactly these axes, in this order, with these sizes (``None``: any size)."""
    got = tuple(tensor.shape) if isinstance(tensor, Tensor) else ()
    if len(got) != len(expected) or any(size is not None and size != n for n, size in zip(got, expected.values())):
        want = ", ".join(axis if size is None else f"{axis}={size}" for axis, size in expected.items())
        raise ValueError(f"`{name}` must have the axes ({want}); received the shape {got}")


def one_of(name: str, value: str, choices: Sequence[str]) -> None:
    """One of a few words; errors suggest the nearest."""
    if value not in choices:
        near = difflib.get_close_matches(str(value), choices, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"`{name}` must be one of {', '.join(map(repr, choices))}; received {value!r}{hint}")


def named(name: str, value: str, choices: Sequence[str]) -> None:
    """One of a few words, or ``module:Name`` for your own part; errors suggest the nearest."""
    if ":" not in value:
        one_of(name, value, (*choices, "module:Name"))


def column_names(name: str, words: Sequence[str], taken: Sequence[str]) -> None:
    """Names that can be columns of a CSV file besides those that are taken."""
    for i, word in enumerate(words):
        plain = bool(word) and word == word.strip() and word.isprintable() and not set(word) & set(',"')
        require(plain, f"`{name}` must be words without commas, quotes and line ends; received {word!r:.80}")
        require(word not in taken, f"`{name}` must not be one of the columns {', '.join(taken)}; received {word!r}")
        require(word not in words[:i], f"`{name}` must all differ; received {word!r} twice")


def binary(name: str, spikes: Tensor) -> None:
    """Spikes of 0 or 1, in any dtype."""
    bad = (spikes != 0) & (spikes != 1)
    if bool(bad.any()):
        raise ValueError(f"`{name}` must hold spikes of 0 or 1 only; received {spikes[bad].flatten()[0].item():g}")


def positive_rate(name: str, rate: float | Tensor, unit: str = "Hz") -> None:
    """A target rate, a number or a tensor, above zero everywhere."""
    lowest = float(torch.as_tensor(rate).min())
    require(math.isfinite(lowest) and lowest > 0, f"`{name}` must be positive ({unit}); received {lowest:g}")


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""


def grid(low: np.ndarray, high: np.ndarray, cells: tuple[int, ...], least: int) -> None:
    """``low`` and ``high`` ``(dims,)`` must be finite and ordered, and `cells` must be ``least`` or more in each dimension."""
    require(
        low.shape == high.shape == (len(cells),),
        f"`cells` must have one entry per observation dimension ({low.shape[0]}); received {cells}",
    )
    for i, (lo, hi, n) in enumerate(zip(low, high, cells)):
        require(
            math.isfinite(lo) and math.isfinite(hi),
            f"`low` and `high` must be finite; received {lo}, {hi} in dimension {i}",
        )
        ordered(f"low[{i}]", lo, f"high[{i}]", hi)
        require(n >= least, f"`cells` must be {least} or more in each dimension; received {n} in dimension {i}")
