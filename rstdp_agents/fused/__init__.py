"""The fused CPU path: a whole env step of a population in one compiled call (the torch path stays the reference).

Compiled code is kept on disk, under a digest of all sources of this folder, see `cache`.

What Python calls is `ENTRIES`, and into each of these everything below it is inlined. A function that was not would exist twice
in a process that compiles, once for itself and once in its caller, vectorised in different ways: the first run after a change
would round otherwise than all that load the same code from the disk.
"""

from rstdp_agents.fused.cache import ENABLED as ENABLED
from rstdp_agents.fused.cache import is_compiled as is_compiled

ENTRIES = ("act", "draw_rows", "fold", "grid_rates", "scan", "step", "tuple_rates")
"""Names of the compiled functions that Python calls."""
