"""The fused CPU path: a whole env step of a population in one compiled call (the torch path stays the reference).

Numba keeps compiled code on disk and looks only at the file that a function stands in, not at those it calls into. So the code
of this folder is kept under a digest of all its sources: a change to any of them compiles anew.

What Python calls is `ENTRIES`, and into each of these everything below it is inlined. A function that was not would exist twice
in a process that compiles, once for itself and once in its caller, vectorised in different ways: the first run after a change
would round otherwise than all that load the same code from the disk.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

from numba import config

ENTRIES = ("act", "draw_rows", "fold", "grid_rates", "scan", "step", "tuple_rates")
"""Names of the compiled functions that Python calls."""

_here = Path(__file__).parent
_numba: Any = config  # its settings are made at run time, unseen by type checkers
_cache_dir_before = _numba.CACHE_DIR
if not _cache_dir_before and os.access(_here, os.W_OK):
    _sources = b"".join(path.read_bytes() for path in sorted(_here.glob("*.py")))
    _numba.CACHE_DIR = str(_here / "__pycache__" / hashlib.sha256(_sources).hexdigest()[:16])

# compiled code takes its folder when it is defined
from rstdp_agents.fused import encode as encode  # noqa: E402
from rstdp_agents.fused import scan as scan  # noqa: E402
from rstdp_agents.fused import step as step  # noqa: E402

_numba.CACHE_DIR = _cache_dir_before
