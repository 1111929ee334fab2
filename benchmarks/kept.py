"""Measurements that are not made again: what a file holds of them, if it is what is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rstdp_agents.base.files import write_whole
from rstdp_agents.training.config import Regime

Measure = Callable[[str, Regime, tuple[int, ...], int], dict[str, Any]]
"""From a task, a regime, seeds and env steps to what was found, in which these stand too."""


def measured(
    measure: Measure, file: Path | None, name: str, regime: Regime, seeds: tuple[int, ...], steps: int
) -> dict[str, Any]:
    """What ``measure`` finds, or has found and a file holds."""
    asked = {"task": name, "regime": regime, "seeds": list(seeds), "steps": steps}
    kept = json.loads(file.read_text()) if file and file.exists() else {}
    if kept.items() >= asked.items():
        print(f"kept, from {file}:")
        return kept
    found = measure(name, regime, seeds, steps)
    if file:
        write_whole(file, json.dumps(found) + "\n")
    return found
