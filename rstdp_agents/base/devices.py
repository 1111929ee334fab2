"""Devices, and how floating point behaves on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from rstdp_agents.base.errors import UsageError


def check_device(name: str, file: Path | None = None) -> None:
    """Raise UsageError unless a device can compute and return numbers; ``file`` is where its name comes from, if not the line."""
    try:
        torch.ones(1, device=name).item()
    except Exception as error:  # each missing device raises its own kind
        reason = " ".join(str(error).split()).partition(". ")[0]
        if file is None:
            raise UsageError(f"`--device {name}` cannot be used here: {reason}") from error
        raise UsageError(
            f"{file} belongs to a run on the device {name!r}, which cannot be used here ({reason}); choose another: --device cpu"
        ) from error


def flush_denormal() -> None:
    """Treat denormal numbers as zero in this process: decayed traces never reach zero, and denormals are slow."""
    for kind in (np.float32, np.float64):
        np.finfo(kind)  # NumPy caches it; before 2.4 it warns when denormals are flushed
    torch.set_flush_denormal(True)
