"""Inferno: `MSTDPET` trainer on a `Serial` layer of `LinearDense` and `LIF`."""

from __future__ import annotations

import torch
from inferno.learn import MSTDPET  # pyright: ignore[reportMissingImports]
from inferno.neural import LIF, DeltaCurrent, LinearDense, Serial  # pyright: ignore[reportMissingImports]
from torch import Tensor

from benchmarks.peers import work
from benchmarks.peers.work import Size, Window

DISTRIBUTION = "inferno-ai"


def window(size: Size) -> Window:
    connection = LinearDense(
        size.pre, size.post, 1.0, synapse=DeltaCurrent.partialconstructor(1.0), batch_size=size.envs,
        weight_init=lambda w: w.copy_(work.initial_weight(size)),
    )  # fmt: skip
    neuron = LIF(
        size.post, 1.0, rest_v=0.0, reset_v=0.0, thresh_v=1.0, refrac_t=1.0, time_constant=work.TAU_M,
        resistance=work.TAU_M, batch_size=size.envs,
    )  # fmt: skip
    layer = Serial(connection, neuron)
    connection.updater = connection.defaultupdater()
    trainer = MSTDPET(
        lr_post=work.LR, lr_pre=-work.LR, tc_post=work.TAU_POST, tc_pre=work.TAU_PRE, tc_eligibility=work.TAU_E
    )
    trainer.register_cell("layer", layer.cell)

    @torch.no_grad()
    def step(spikes: Tensor, reward: Tensor) -> Tensor:
        counts = torch.zeros(size.envs, size.post)
        for now in spikes:
            counts += layer(now)
            trainer(reward)
            connection.update()
        return counts

    return step


def prepare(size: Size) -> work.EnvStep:
    return work.on_drawn_spikes(window(size), size)
