"""The backend of an agent whose envs are spread over the ranks of a process group; every rank holds the same weights."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.agent.modulators import SharedModulator
from rstdp_agents.agent.parts import AgentParts, ended
from rstdp_agents.agent.torch_backend import TorchBackend
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.training.distributed.ranks import Ranks


class SharedBackend(TorchBackend):
    """Learns from the envs on all ranks; those of ``parts`` are here.

    In every env step each rank lets its own envs change weights and critic; the mean of these changes over the ranks takes their
    place, and the mean of the rates is what homeostasis sees: one all-reduce of one buffer, whose size does not depend on the
    number of envs. Random numbers of an env are those it would have in a single process (`spiking.agent_random`), so N ranks of
    B envs end up with the weights of one process with N B envs, to float rounding. All methods that raise RankLost have to be
    called by every rank.

    `stop`: set on any rank, it is set on all ranks after their next step.
    """

    def __init__(self, parts: AgentParts, ranks: Ranks) -> None:
        if not isinstance(parts.modulator, SharedModulator):
            name = parts.config.modulator
            raise ValueError(
                f"`modulator` {name} cannot be spread over ranks: it has no `learnt`; td and reward can "
                "(`--modulator td`, also with `--regime cortical`)"
            )
        super().__init__(parts)
        self._learnt = lambda modulator=parts.modulator: {
            **modulator.learnt(),
            **parts.gain.learnt(),
            **parts.novelty.learnt(),
            **parts.exploration.learnt(),
        }
        parts.random.share = ranks.rank, ranks.size
        self.ranks, self.stop = ranks, False
        self._ended = torch.zeros_like(parts.episodes)
        self._hertz: list[Tensor] = []  # rates in a window here that the other ranks do not know of

    def learn(self, t: Transition, next_features: Tensor) -> None:
        """As `TorchBackend.learn`, from the envs of all ranks. Raises RankLost."""
        shared = [*(layer.weight for layer in self.parts.network.layers), *self._learnt().values()]
        before = [tensor.clone() for tensor in shared]
        self.update(t, next_features)
        changes = [tensor - old for tensor, old in zip(shared, before, strict=True)]
        here = self.parts.tensor(ended(t))
        *sums, self._ended, stop = self._summed([*changes, *self._hertz, here, here.new_tensor([self.stop])])
        self._regulate(sums[len(shared) :])
        for tensor, old, change in zip(shared, before, sums, strict=False):
            torch.add(old, change, alpha=1.0 / self.ranks.size, out=tensor)
        self.parts.network.clamp()
        self.stop = bool(stop > 0)

    def regulate(self, hertz: list[Tensor]) -> None:
        """Wait with homeostasis until all ranks have told what they saw."""
        self._hertz = hertz

    def count(self, t: Transition) -> None:
        """Count the episodes that ended on all ranks."""
        self.parts.count_episodes(self._ended)

    def settle(self) -> None:
        """Bring homeostasis up to date, as a checkpoint wants it. Raises RankLost."""
        self._regulate(self._summed(self._hertz))

    def _regulate(self, sums: list[Tensor]) -> None:
        if sums:
            super().regulate([total / self.ranks.size for total in sums])
        self._hertz = []

    def _summed(self, tensors: list[Tensor]) -> list[Tensor]:
        """Sums over the ranks, by one collective, in the finest of the tensors' number types; each sum has its tensor's."""
        if not tensors:
            return []
        buffer = torch.cat([tensor.flatten() for tensor in tensors])
        self.ranks.add(buffer)
        parts = buffer.split([tensor.numel() for tensor in tensors])
        return [part.view_as(tensor).to(tensor.dtype) for part, tensor in zip(parts, tensors, strict=True)]
