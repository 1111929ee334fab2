"""An agent whose envs are spread over the ranks of a process group; every rank holds the same weights."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.agent import Agent
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.spiking.homeostasis import homeostasis_step
from rstdp_agents.training.distributed.ranks import Ranks


class SharedAgent(Agent):
    """An `Agent` that learns from its envs on all ranks; ``envs`` are those that are here.

    In every env step each rank lets its own envs change weights, critic and rate estimates, and the mean of these changes over
    the ranks takes their place: one all-reduce of one buffer, whose size does not depend on the number of envs. Random
    numbers of an env are those it would have in a single process (`random.AgentRandom`), so N ranks of B envs end up
    with the weights of one process with N B envs, to float rounding. Runs on the torch backend.

    `stop`: set on any rank, it is set on all ranks after their next step.
    """

    def __init__(self, ranks: Ranks, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, backend="torch")
        if self.config.modulator == "td-spiking":
            raise ValueError("`modulator` td-spiking cannot be spread over ranks; td and reward-baseline can")
        self.ranks, self.stop = ranks, False
        self.random.share = ranks.rank, ranks.size
        self._ended = torch.zeros_like(self.episodes)
        self._seen: list[Tensor] = []  # changes of rate estimates by a window here that the other ranks do not know of

    def step(self, t: Transition) -> np.ndarray:
        """As `Agent.step`; every rank has to call it. Raises RankLost."""
        self._ended = self.tensor((t.terminated | t.truncated).sum(1))
        action = self._step(t)
        self.episodes += self._ended
        self._anneal()
        return action

    def settle(self) -> None:
        """Bring the rate estimates up to date, as a checkpoint wants them; every rank has to call it. Raises RankLost."""
        self._regulate(self._summed(self._seen))

    def _learn(self, t: Transition, next_features: Tensor) -> None:
        shared = [layer.weight for layer in self.network.layers] + self._of_modulator()
        before, bounds = [tensor.clone() for tensor in shared], [layer.bounds for layer in self.network.layers]
        for layer in self.network.layers:
            layer.bounds = -math.inf, math.inf
        super()._learn(t, next_features)
        changes = [tensor - old for tensor, old in zip(shared, before, strict=True)]
        stop = self._ended.new_tensor([self.stop])
        *changes, self._ended, stop = self._summed([*changes, *self._seen, self._ended, stop])
        self._regulate(changes[len(shared) :])
        for tensor, old, change in zip(shared, before, changes, strict=False):
            torch.add(old, change, alpha=1.0 / self.ranks.size, out=tensor)
        for layer, limits in zip(self.network.layers, bounds, strict=True):
            layer.bounds = limits
            layer.weight.clamp_(*limits)
        self.stop = bool(stop > 0)

    def _act(self, rates: Tensor, allowed: Tensor | None) -> np.ndarray:
        before = [layer.homeostasis for layer in self.network.layers]
        action = super()._act(rates, allowed)
        self._seen = [layer.homeostasis.rate - old.rate for layer, old in zip(self.network.layers, before, strict=True)]
        for layer, old in zip(self.network.layers, before, strict=True):
            layer.homeostasis = old  # until all ranks have told what they saw
        return action

    def _regulate(self, seen: list[Tensor]) -> None:
        for layer, change in zip(self.network.layers, seen, strict=False):
            rate, offset = layer.homeostasis
            layer.homeostasis = homeostasis_step(rate + change / self.ranks.size, offset, layer.homeostasis_params)
        self._seen = []

    def _summed(self, tensors: list[Tensor]) -> list[Tensor]:
        """Sums over the ranks, by one collective."""
        if not tensors:
            return []
        buffer = torch.cat([tensor.flatten() for tensor in tensors])
        self.ranks.add(buffer)
        parts = buffer.split([tensor.numel() for tensor in tensors])
        return [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)]

    def _of_modulator(self) -> list[Tensor]:
        """What the modulator has learnt, which all envs of an agent share."""
        return [t for name, t in self.modulator.tensors().items() if name in ("critic.weight", "modulator.r_bar")]
