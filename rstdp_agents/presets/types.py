"""What a family of presets is."""

from __future__ import annotations

from typing import Any, TypeAlias

from rstdp_agents.config import RuleName

Presets: TypeAlias = "dict[str, dict[RuleName, dict[str, Any]]]"
"""Changes to the default `RunConfig`, dotted names, by environment id and rule."""
