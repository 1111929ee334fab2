"""The processes that share an agent, as torchrun starts them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from rstdp_agents.base import validate
from rstdp_agents.base.errors import RankLost


@dataclass(frozen=True)
class Ranks:
    """This process among ``size`` of a process group that is up. Its methods are called by all ranks alike."""

    rank: int
    size: int

    def share(self, envs: int) -> int:
        """Envs of each rank, of ``envs`` in all. Raises ValueError if they cannot be shared alike."""
        validate.require(
            envs % self.size == 0, f"`envs_per_agent` must divide by the number of ranks, {self.size}; received {envs}"
        )
        return envs // self.size

    def add(self, tensor: Tensor) -> None:
        """Sum over the ranks, in place. Raises RankLost where one of them is gone."""
        with self._together():
            dist.all_reduce(tensor)

    def gather(self, mine: Any) -> list[Any]:
        """What every rank gave, in their order, on rank 0; elsewhere an empty list. Raises RankLost."""
        everyone: list[Any] | None = [None] * self.size if self.rank == 0 else None
        with self._together():
            dist.gather_object(mine, everyone)
        return everyone or []

    def broadcast(self, mine: Any) -> Any:
        """What rank 0 gave. Raises RankLost."""
        said = [mine]
        with self._together():
            dist.broadcast_object_list(said)
        return said[0]

    @contextmanager
    def _together(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise RankLost(f"another of the {self.size} processes was lost, as rank {self.rank} found") from error


def join(device: str) -> Ranks:
    """The process group of torchrun, which started this process; each process of a machine takes a GPU of its own.

    The store in which processes find each other outlives them where torchrun starts them again: each time has a part of its own.
    """
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    store, rank, size = next(rendezvous("env://"))
    store = PrefixStore(f"start {os.environ['TORCHELASTIC_RESTART_COUNT']}", store)
    dist.init_process_group("nccl" if cuda else "gloo", store=store, rank=rank, world_size=size)
    return Ranks(rank, size)
