"""Values as JSON, with types and bits preserved, so that reading them back runs no code."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import deque
from typing import Any

import numpy as np
import torch

NUMBERS = "biufcUSMm"
"""NumPy dtype kinds whose values are plain bytes."""
MAKERS = {"tuple": tuple, "set": set, "frozenset": frozenset}
"""Collections that are made from a list."""


def to_plain(value: Any) -> Any:
    """``value`` as `json.dumps` takes it: None, numbers, texts, bytes, NumPy arrays and scalars, tensors, collections of these.

    Collections are lists, tuples, dicts, sets and deques. Raises TypeError for anything else.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in NUMBERS:
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {kind: [value.dtype.str, list(value.shape), data]}
    if isinstance(value, torch.Tensor):
        return {"tensor": to_plain(value.detach().cpu().numpy())}
    if type(value) in (bytes, complex):
        return {type(value).__name__: base64.b64encode(value).decode() if type(value) is bytes else repr(value)}
    return _collection(value)


def _collection(value: Any) -> Any:
    if type(value) is list:
        return [to_plain(one) for one in value]
    if isinstance(value, tuple):  # a named tuple loses its names
        return {"tuple": [to_plain(one) for one in value]}
    if type(value) is dict:
        return {"dict": [[to_plain(key), to_plain(one)] for key, one in value.items()]}
    if type(value) in (set, frozenset):
        return {type(value).__name__: sorted((to_plain(one) for one in value), key=json.dumps)}
    if type(value) is deque:
        return {"deque": [[to_plain(one) for one in value], value.maxlen]}
    raise TypeError(f"{type(value).__name__} cannot be written as plain data")


def from_plain(plain: Any) -> Any:
    """The inverse of `to_plain`. Raises ValueError for data that it cannot have produced."""
    if isinstance(plain, list):
        return [from_plain(one) for one in plain]
    if not isinstance(plain, dict):
        return plain
    if len(plain) != 1:
        raise ValueError("plain data must have one kind per value")
    kind, content = next(iter(plain.items()))
    if kind in ("array", "scalar"):
        code, shape, data = content
        array = np.frombuffer(base64.b64decode(data), np.dtype(code)).reshape(shape)
        return array.copy() if kind == "array" else array[()]
    if kind == "tensor":
        return torch.from_numpy(from_plain(content))
    if kind in ("bytes", "complex"):
        return base64.b64decode(content) if kind == "bytes" else complex(content)
    if kind in MAKERS:
        return MAKERS[kind](from_plain(one) for one in content)
    if kind == "dict":
        return {from_plain(key): from_plain(one) for key, one in content}
    if kind == "deque":
        return deque(from_plain(content[0]), content[1])
    raise ValueError(f"plain data has no kind {kind!r}")


def digest(value: Any) -> str:
    """SHA-256 of a value that `to_plain` accepts."""
    return hashlib.sha256(json.dumps(to_plain(value)).encode()).hexdigest()
