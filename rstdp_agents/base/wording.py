"""Values in messages for people: one line, and never a long one."""

from __future__ import annotations

from typing import Any

import numpy as np

LONGEST = 100
"""Characters of a value in a message."""


def shown(value: Any) -> str:
    """A value as Python writes it, or the shape of an array that is not small."""
    if isinstance(value, np.ndarray) and value.size > 4:
        return f"an array of the shape {value.shape}"
    return short(repr(value.item() if isinstance(value, np.number | np.bool_) else value))


def short(words: str) -> str:
    """In one line, of `LONGEST` characters at most."""
    text = " ".join(words.split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
