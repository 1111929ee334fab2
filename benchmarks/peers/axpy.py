"""The machine's bandwidth: as many bytes as the work must move, by an in-place ``a += c b``."""

from __future__ import annotations

import torch

from benchmarks.peers import work
from benchmarks.peers.work import Size

DISTRIBUTION = "torch"


def prepare(size: Size) -> work.EnvStep:
    a, b = torch.ones(2, size.bytes_moved // 12)  # per element: read a, read b, write a, 4 bytes each
    return lambda: a.add_(b, alpha=0.5)
