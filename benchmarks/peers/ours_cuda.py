"""This library, torch path, on a CUDA device."""

from __future__ import annotations

import torch

from benchmarks.peers import ours, work
from benchmarks.peers.work import Size

DISTRIBUTION = ours.DISTRIBUTION
if not torch.cuda.is_available():
    raise RuntimeError("no CUDA device here")
finish = torch.cuda.synchronize


def prepare(size: Size) -> work.EnvStep:
    return ours.prepare(size, "cuda")
