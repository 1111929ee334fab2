"""SpikingJelly: `MSTDPETLearner`; its learner takes one sample, so batches are given to `MSTDPLearner` (no eligibility trace)."""

from __future__ import annotations

import torch
from spikingjelly.activation_based.learning import (  # pyright: ignore[reportMissingImports]
    MSTDPETLearner,
    MSTDPLearner,
)
from spikingjelly.activation_based.neuron import LIFNode  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn

from benchmarks.peers import work
from benchmarks.peers.work import Size, Window


def additive(_: Tensor) -> float:
    """Pairs count the same at every weight (its default multiplies by the weight)."""
    return 1.0


def window(size: Size) -> Window:
    synapse = nn.Linear(size.pre, size.post, bias=False).requires_grad_(False)
    synapse.weight.copy_(work.initial_weight(size))
    neuron = LIFNode(tau=work.TAU_M, decay_input=False, step_mode="s")
    shared = {"synapse": synapse, "sn": neuron, "tau_pre": work.TAU_PRE, "tau_post": work.TAU_POST}
    shared |= {"f_pre": additive, "f_post": additive}
    traced = size.trace and size.envs == 1
    learner = MSTDPETLearner("s", tau_trace=work.TAU_E, **shared) if traced else MSTDPLearner("s", **shared)

    @torch.no_grad()
    def step(spikes: Tensor, reward: Tensor) -> Tensor:
        counts = torch.zeros(size.envs, size.post)
        single = size.envs == 1
        for now in spikes:
            fired = neuron(synapse(now[0] if single else now))
            counts += fired
            synapse.weight += learner.step(reward[0] if single else reward, on_grad=False, scale=work.LR)
        return counts

    return step


def prepare(size: Size) -> work.EnvStep:
    return work.on_drawn_spikes(window(size), size)
