"""SPAIC: `RSTDPET` on a full `Connection`; its rule takes one sample."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from benchmarks.peers import work
from benchmarks.peers.work import Size, Window

DISTRIBUTION = "SPAIC"
spaic: Any = import_module("spaic")  # by name: to a type checker this file is `spaic` itself


class GivenReward(spaic.Reward):
    """A reward that comes from outside of the network."""

    given = torch.zeros(1)

    def get_reward(self, output: Tensor | None = None) -> Tensor:
        """The reward of this env step."""
        return self.given


spaic.Reward.register("given", GivenReward)


class Layer(spaic.Network):
    """Input, connection, neurons, learner and reward."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.input = spaic.Encoder(num=size.pre, coding_method="null")
        self.output = spaic.NeuronGroup(num=size.post, model="lif", tau_m=work.TAU_M, v_th=1.0)
        weight = work.initial_weight(size).numpy()
        self.connection = spaic.Connection(self.input, self.output, link_type="full", weight=weight)
        self.reward = GivenReward(num=1, coding_method="given")
        self.learner = spaic.Learner(
            algorithm="RSTDPET", lr=work.LR, trainable=self.connection, tau_plus=work.TAU_PRE, tau_minus=work.TAU_POST,
            tau_e_trace=work.TAU_E, tau_e=work.TAU_E,
        )  # fmt: skip
        self.set_backend("torch")
        self.set_backend_dt(1.0)


def window(size: Size) -> Window:
    if size.envs > 1:
        raise ValueError("its rule takes batch 1 only")
    layer = Layer(size)

    @torch.no_grad()
    def step(spikes: Tensor, reward: Tensor) -> Tensor:
        layer.input(spikes.transpose(0, 1))
        layer.reward.given = reward
        layer.run_continue(float(size.ticks))
        return reward

    return step


def prepare(size: Size) -> work.EnvStep:
    return work.on_drawn_spikes(window(size), size)
