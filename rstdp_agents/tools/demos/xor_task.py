"""Exclusive or in spikes: two input bits, coded as firing rates or as spike trains, for a population of networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.spiking.agent_random import AgentRandom

Code = Literal["rate", "temporal"]
CODES: tuple[str, ...] = get_args(Code)
BITS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""The four patterns."""
TARGET = tuple(1.0 if a != b else -1.0 for a, b in BITS)
"""Reward of an output spike during each pattern."""


@dataclass(frozen=True)
class Task:
    """How the bits are coded as spikes."""

    code: Code
    inputs: int
    """Input neurons; the first half carries the first bit, the other half the second."""
    duration: float = 500.0
    """Length of a presentation (ms)."""
    rate: float = 40.0
    """Rate code: firing rate of an input neuron for a 1; it is silent for a 0 (Hz)."""
    spikes: int = 50
    """Temporal code: spikes in each of the two trains that stand for 0 and for 1."""
    dt: float = 1.0
    """Tick (ms)."""

    def __post_init__(self) -> None:
        validate.one_of("code", self.code, CODES)
        validate.require(self.inputs > 0 and self.inputs % 2 == 0, f"`inputs` must be even; received {self.inputs}")
        validate.positive("duration", self.duration, "ms")
        validate.within("spikes", self.spikes, 0, self.ticks)
        validate.within("rate", self.rate, 0.0, 1000.0 / self.dt)

    @property
    def ticks(self) -> int:
        """Ticks of a presentation."""
        return round(self.duration / self.dt)

    def symbols(self, random: AgentRandom) -> Tensor:
        """The codes of the bits 0 and 1: ``(2, ticks, agents)``, spike probability in each tick.

        Rate code: constant. Temporal code: two random trains, drawn once for each network, of 0 and 1.
        """
        agents = len(random.generators)
        if self.code == "rate":
            one = torch.full((self.ticks, agents), self.rate * self.dt / 1000.0, device=random.device)
            return torch.stack([torch.zeros_like(one), one])
        order = random.uniform(2 * self.ticks).reshape(agents, 2, self.ticks).argsort(-1).argsort(-1)
        return (order < self.spikes).to(random.dtype).permute(1, 2, 0)

    def present(self, pattern: Tensor, symbols: Tensor, random: AgentRandom) -> Tensor:
        """Input spikes ``(ticks, agents, envs, inputs)`` of one presentation.

        pattern: ``(agents, envs)``, index into `BITS`, each network and env its own. symbols: from `symbols`.
        """
        agents, envs = pattern.shape
        bits = torch.tensor(BITS, device=pattern.device)[pattern].repeat_interleave(self.inputs // 2, -1)
        silent, firing = symbols[..., None, None]
        probability = torch.where(bits == 1, firing, silent)
        if self.code == "temporal":
            return probability
        uniform = random.uniform(envs * self.ticks * self.inputs).reshape(agents, self.ticks, envs, self.inputs)
        return (uniform.transpose(0, 1) < probability).to(random.dtype)
