"""The environments of this project: package `rstdp_envs`, in the folder ``envs`` of a clone."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "envs"


def load_own() -> None:
    """Import `rstdp_envs`: in a clone its own, installed or not, before any other."""
    if (FOLDER / "rstdp_envs").is_dir():
        sys.path.insert(0, str(FOLDER))
    importlib.import_module("rstdp_envs")
