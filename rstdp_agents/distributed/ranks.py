"""The processes that share an agent, as torchrun starts them."""

from __future__ import annotations

from dataclasses import dataclass

import torch.distributed as dist
from torch import Tensor

from rstdp_agents import validate
from rstdp_agents.errors import RankLost


@dataclass(frozen=True)
class Ranks:
    """This process among ``size`` of a process group that is up."""

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
        try:
            dist.all_reduce(tensor)
        except RuntimeError as error:
            raise RankLost(f"a rank was lost, noticed by rank {self.rank} of {self.size}") from error
