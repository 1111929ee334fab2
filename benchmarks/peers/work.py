"""The work that all contestants do: one env step of one dense layer of LIF neurons with R-STDP-ET."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

DENSITY = 0.1
"""Share of the input neurons that fire in a tick."""
DRIVE = 0.2
"""Mean input of a neuron per tick, in units of its threshold."""
LR = 1e-6
"""So small that the layer goes on firing as it does at first."""
TAU_PRE, TAU_POST, TAU_E, TAU_M = 20.0, 20.0, 25.0, 10.0

EnvStep = Callable[[], object]
Window = Callable[[Tensor, Tensor], Tensor]
"""Spikes ``(ticks, envs, pre)`` and rewards ``(envs,)`` -> spike counts ``(envs, post)``, learning on the way."""


@dataclass(frozen=True)
class Size:
    """Shape of the work."""

    pre: int
    post: int
    envs: int = 1
    """Batch: copies of the environment from which one agent learns."""
    ticks: int = 16
    agents: int = 1
    """Independent learners in the same call."""
    trace: bool = True
    """Whether eligibility lives on from env step to env step (R-STDP-ET, MSTDPET), or each is for itself (R-STDP, MSTDP)."""

    @property
    def weights(self) -> int:
        """Number of weights of all agents."""
        return self.agents * self.pre * self.post

    @property
    def state_bytes(self) -> int:
        """Weight and every env's eligibility, in float32."""
        return 4 * self.weights * (1 + self.envs)

    @property
    def bytes_moved(self) -> int:
        """Least memory traffic of an env step: the state, read and written."""
        return 2 * self.state_bytes

    @property
    def flops(self) -> int:
        """Operations of the two dense products of a window: current, and eligibility in its single-product form."""
        return 2 * self.weights * self.envs * (2 * self.ticks + 1)

    def __str__(self) -> str:
        return f"{self.pre}->{self.post}, B{self.envs}"


def initial_weight(size: Size, threshold: float = 1.0) -> Tensor:
    """``(post, pre)``, uniform, such that a tick brings `DRIVE` thresholds on average."""
    mean = DRIVE * threshold / (DENSITY * size.pre)
    return torch.rand(size.post, size.pre, generator=torch.Generator().manual_seed(1)) * 2 * mean


def on_drawn_spikes(window: Window, size: Size, draws: int = 4) -> EnvStep:
    """Env steps on spikes and rewards that were drawn beforehand: learning and nothing else."""
    generator = torch.Generator().manual_seed(0)
    shape = draws, size.ticks, size.envs, size.pre
    spikes = itertools.cycle((torch.rand(shape, generator=generator) < DENSITY).float().unbind(0))
    rewards = itertools.cycle(torch.randn(draws, size.envs, generator=generator).unbind(0))
    return lambda: window(next(spikes), next(rewards))


Run = Callable[[int], float]
"""Take so many env steps; the seconds that they took."""


def timed(env_step: EnvStep, finish: Callable[[], object] = lambda: None) -> Run:
    """``env_step`` over and over. finish: waits for what a device still has to do."""

    def run(steps: int) -> float:
        finish()
        start = time.perf_counter()
        for _ in range(steps):
            env_step()
        finish()
        return time.perf_counter() - start

    return run
