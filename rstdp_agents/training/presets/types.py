"""Types of presets."""

from __future__ import annotations

from typing import Any, TypeAlias

Settings: TypeAlias = "dict[str, dict[str, Any]]"
"""Changes to the default `RunConfig`, dotted names, by rule."""
Presets: TypeAlias = "dict[str, dict[str, dict[str, Any]]]"
"""Changes to the default `RunConfig`, dotted names, by environment id and rule."""
Serves: TypeAlias = "dict[str, dict[str, tuple[Any, ...]]]"
"""By environment id, arguments with which its presets still apply: the values for which they do, () for all."""
