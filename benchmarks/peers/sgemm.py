"""The machine's matmul limit: square products of `SIDE`, whatever the work is."""

from __future__ import annotations

import torch

from benchmarks.peers import work
from benchmarks.peers.work import Size

DISTRIBUTION = "torch"
SIDE = 512
FLOPS = 2 * SIDE**3


def prepare(size: Size) -> work.EnvStep:
    a, b, out = torch.ones(3, SIDE, SIDE)
    return lambda: torch.matmul(a, b, out=out)
