"""What a family of presets is."""

from __future__ import annotations

from typing import Any, TypeAlias

Presets: TypeAlias = "dict[str, dict[str, dict[str, Any]]]"
"""Changes to the default `RunConfig`, dotted names, by environment id and rule."""
Serves: TypeAlias = "dict[str, dict[str, tuple[Any, ...]]]"
"""Arguments of an environment, by its id, that leave its presets what they were found for: the values that do, () for all."""
