"""Values as JSON can hold them, with type and bits, so that reading them back runs no code."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import numpy as np

NUMBERS = "biufcUSMm"
"""Kinds of NumPy numbers that are bytes and nothing else."""


def to_plain(value: Any) -> Any:
    """``value`` made of None, bool, int, float, str, NumPy arrays and scalars, lists, tuples and dicts, for `json.dumps`.

    Raises TypeError for anything else.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in NUMBERS:
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {kind: [value.dtype.str, list(value.shape), data]}
    if type(value) is list:
        return [to_plain(one) for one in value]
    if isinstance(value, tuple):  # one with names loses them
        return {"tuple": [to_plain(one) for one in value]}
    if type(value) is dict:
        return {"dict": [[to_plain(key), to_plain(one)] for key, one in value.items()]}
    raise TypeError(f"{type(value).__name__} cannot be written as plain data")


def from_plain(plain: Any) -> Any:
    """What `to_plain` took apart. Raises ValueError for what it cannot have made."""
    if isinstance(plain, list):
        return [from_plain(one) for one in plain]
    if not isinstance(plain, dict):
        return plain
    if len(plain) != 1:
        raise ValueError("plain data has one kind per value")
    kind, content = next(iter(plain.items()))
    if kind in ("array", "scalar"):
        code, shape, data = content
        array = np.frombuffer(base64.b64decode(data), np.dtype(code)).reshape(shape)
        return array.copy() if kind == "array" else array[()]
    if kind == "tuple":
        return tuple(from_plain(one) for one in content)
    if kind == "dict":
        return {from_plain(key): from_plain(one) for key, one in content}
    raise ValueError(f"plain data knows no {kind!r}")


def digest(value: Any) -> str:
    """SHA-256 of a value that `to_plain` takes."""
    return hashlib.sha256(json.dumps(to_plain(value)).encode()).hexdigest()
