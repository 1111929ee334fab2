"""Arguments of environments, checked where one is made."""

from __future__ import annotations


def whole(name: str, value: int, least: int) -> int:
    """``value`` if it is a whole number of ``least`` or more; raises ValueError with name and value otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"`{name}` must be a whole number of {least} or more; received {value!r}")
    return value


def share(name: str, value: float) -> float:
    """``value`` if it lies between 0 and 1; raises ValueError with name and value otherwise."""
    if not 0 <= value <= 1:
        raise ValueError(f"`{name}` must lie between 0 and 1; received {value!r}")
    return value


def render_mode(value: str | None) -> str | None:
    """``value`` if it is ``rgb_array`` or None; raises ValueError otherwise."""
    if value not in (None, "rgb_array"):
        raise ValueError(f"`render_mode` must be 'rgb_array' or None; received {value!r}")
    return value
