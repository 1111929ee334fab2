"""What is computed on, and how."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from rstdp_agents.base.errors import UsageError


def check_device(name: str, file: Path | None = None) -> None:
    """Raise UsageError unless numbers can be computed on a device and read back; ``file`` names it, or else the command line."""
    try:
        torch.ones(1, device=name).item()
    except Exception as error:  # each device that is not there has a kind of its own
        reason = " ".join(str(error).split()).partition(". ")[0]
        if file is None:
            raise UsageError(f"`--device {name}` cannot be used here: {reason}") from error
        raise UsageError(
            f"{file} is of a run on the device {name!r}, which cannot be used here ({reason}); give one that can: --device cpu"
        ) from error


def flush_denormal() -> None:
    """Have tiny numbers count as zero in this process: decayed traces never reach it, and denormals are slow."""
    for kind in (np.float32, np.float64):
        np.finfo(kind)  # which NumPy remembers; before 2.4 it warns of processors that know no denormals
    torch.set_flush_denormal(True)
