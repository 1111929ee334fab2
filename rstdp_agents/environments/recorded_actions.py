"""Actions that an environment has taken, kept as numbers or bytes, and given back."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Actions:
    """Actions of a space, one after the other, as numbers or bytes that cannot change any more."""

    def __init__(self, space: gym.Space) -> None:
        self.space = space
        self._numbers = array("q") if isinstance(space, spaces.Discrete) else None
        self._bytes = bytearray()
        self.size = max(1, _bytes(space))
        """Bytes of an action."""
        add = self._add_array if isinstance(space, spaces.Box) else self._add
        self.add: Callable[[Any], None] = add if self._numbers is None else self._numbers.append
        """Append an action."""

    def records(self) -> np.ndarray:
        """All of them, ``(actions,)`` int64 or ``(actions, size)`` uint8."""
        if self._numbers is not None:
            return np.array(self._numbers, np.int64)
        return np.array(self._bytes, np.uint8).reshape(-1, self.size)

    def values(self, records: np.ndarray) -> Iterator[Any]:
        """The actions from their records."""
        if self._numbers is not None:
            yield from records
        else:
            for record in records:
                yield unpacked(self.space, record.tobytes())

    def clear(self) -> None:
        """Forget all."""
        if self._numbers is not None:
            del self._numbers[:]
        self._bytes.clear()

    def _add(self, action: Any) -> None:
        self._bytes += packed(action)

    def _add_array(self, action: np.ndarray) -> None:
        self._bytes += action.tobytes()


def packed(action: Any) -> bytes:
    """An action as bytes, part after part."""
    if isinstance(action, dict):
        return b"".join(packed(part) for part in action.values())
    if isinstance(action, tuple):
        return b"".join(packed(part) for part in action)
    return action.tobytes()


def unpacked(space: gym.Space, record: bytes) -> Any:
    """The inverse of `packed`, for actions of ``space``."""
    return _read(space, record, 0)[0]


def _read(space: gym.Space, record: bytes, at: int) -> tuple[Any, int]:
    if isinstance(space, spaces.Dict | spaces.Tuple):
        parts = {}
        for key, part in space.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces):
            parts[key], at = _read(part, record, at)
        return (parts if isinstance(space, spaces.Dict) else tuple(parts.values())), at
    dtype, shape = np.dtype(space.dtype), space.shape or ()
    count = int(np.prod(shape, dtype=int))
    values = np.frombuffer(record, dtype, count, at).reshape(shape).copy()
    return (values[()] if isinstance(space, spaces.Discrete) else values), at + count * dtype.itemsize


def _bytes(space: gym.Space) -> int:
    """Bytes of a packed action."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        return sum(map(_bytes, space.values() if isinstance(space, spaces.Dict) else space.spaces))
    return np.dtype(space.dtype).itemsize * int(np.prod(space.shape or (), dtype=int))
