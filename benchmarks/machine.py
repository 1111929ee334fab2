"""What a benchmark ran on, without the name of the machine."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import torch


def describe() -> dict[str, Any]:
    """Processor, cores, memory and versions."""
    facts = {"processor": processor(), "cores": os.cpu_count(), "memory_gib": memory_gib()}
    facts |= {"system": f"{platform.system()} {platform.machine()}", "python": platform.python_version()}
    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {**facts, "torch": torch.__version__, "cuda": cuda, "load_at_start": round(os.getloadavg()[0], 1)}


def processor() -> str:
    """Model of the processor, as the system gives it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def memory_gib() -> int:
    """Physical memory (GiB)."""
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
