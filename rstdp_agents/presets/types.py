"""What a family of presets is."""

from __future__ import annotations

from typing import Any, TypeAlias

Presets: TypeAlias = "dict[str, dict[str, dict[str, Any]]]"
"""Changes to the default `RunConfig`, dotted names, by environment id and rule."""
