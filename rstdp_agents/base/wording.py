"""Values in messages: one short line."""

from __future__ import annotations

from typing import Any

import numpy as np

LONGEST = 100
"""Most characters of a value in a message."""


def shown(value: Any) -> str:
    """A value as Python writes it, or the shape of a larger array."""
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"an array of shape {value.shape}"
    return short(repr(value.item() if isinstance(value, np.number | np.bool_) else value))


def short(words: str) -> str:
    """One line, of at most `LONGEST` characters."""
    text = " ".join(words.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
