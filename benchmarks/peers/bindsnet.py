"""BindsNET: `MSTDPET` (or `MSTDP`) on a dense `Connection`, one reward per sample."""

from __future__ import annotations

import torch

from benchmarks.peers import work
from benchmarks.peers.work import Size, Window

try:
    import torchvision  # noqa: F401 # pyright: ignore[reportMissingImports]
except RuntimeError:
    # BindsNET imports torchvision for its plots and data sets; torchvision's compiled part does not fit every build of
    # torch, and its import asks for two of the operators: declared here, never called
    _operators = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        _operators.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

from bindsnet.learning import MSTDP, MSTDPET  # pyright: ignore[reportMissingImports]
from bindsnet.network import Network  # pyright: ignore[reportMissingImports]
from bindsnet.network.monitors import Monitor  # pyright: ignore[reportMissingImports]
from bindsnet.network.nodes import Input, LIFNodes  # pyright: ignore[reportMissingImports]
from bindsnet.network.topology import Connection  # pyright: ignore[reportMissingImports]

THRESHOLD = 13.0
"""From rest to threshold of its LIF neuron (mV)."""


def window(size: Size, counted: bool = True) -> Window:
    network = Network(dt=1.0, batch_size=size.envs)
    source, target = Input(n=size.pre), LIFNodes(n=size.post, tc_decay=work.TAU_M, refrac=1)
    connection = Connection(
        source, target, w=work.initial_weight(size, THRESHOLD).T.contiguous(), nu=work.LR,
        update_rule=MSTDPET if size.trace else MSTDP, tc_plus=work.TAU_PRE, tc_minus=work.TAU_POST, tc_e_trace=work.TAU_E,
    )  # fmt: skip
    network.add_layer(source, "in")
    network.add_layer(target, "out")
    network.add_connection(connection, "in", "out")
    if counted:
        network.add_monitor(Monitor(target, ["s"], time=size.ticks), "out")

    def step(spikes: torch.Tensor, reward: torch.Tensor) -> torch.Tensor:
        network.run({"in": spikes}, time=size.ticks, reward=reward[:, None, None])
        return network.monitors["out"].get("s").float().sum(0) if counted else reward

    return step


def prepare(size: Size) -> work.EnvStep:
    return work.on_drawn_spikes(window(size, counted=False), size)
