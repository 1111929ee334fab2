"""The environments of this project, registered with Gymnasium whatever else is called ``envs``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "envs"
ALIAS = "rstdp_envs"


def load_own() -> None:
    """Import the package ``envs`` beside this one; under the name `ALIAS` where a user's own ``envs`` stands before it."""
    found = importlib.util.find_spec("envs")
    if found is not None and found.origin and Path(found.origin).resolve().parent == FOLDER:
        importlib.import_module("envs")
    elif ALIAS not in sys.modules:
        spec = importlib.util.spec_from_file_location(ALIAS, FOLDER / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[ALIAS] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[ALIAS])
