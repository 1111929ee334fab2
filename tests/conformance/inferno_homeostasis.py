"""Inferno's LinearHomeostasis: both parts as handed to the updater, and the sign that its updater makes of them."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.spiking.homeostasis import channel_mean, cumulative_rate, homeostatic_drive, homeostatic_parts
from rstdp_agents.spiking.synapses import Conv2d, Lateral, Linear, OneToOne, Synapse

from .common import Recorder, reduction, spikes
from .loader import Case


def replay(case: Case) -> dict[str, Tensor]:
    """The documented change is pos + neg; the source subtracts its negative part (defect 1), and so do we, here only."""
    p, post = case.params, spikes(case, "post")
    synapse, reduce, out = _synapse(case), reduction(p["batch_reduction"]), Recorder()
    value, rate, seen = case["param"][0], torch.zeros_like(post[0]), 0
    out.add(param=value)
    for t, now in enumerate(post):
        seen = 1 if t == p.get("clear_at") else seen + 1
        rate = cumulative_rate(torch.zeros_like(rate) if seen == 1 else rate, now, seen)
        drive = channel_mean(homeostatic_drive(synapse, rate, case["target"][t][None], p["plasticity"]))
        parts = homeostatic_parts(synapse, p["param"], drive, reduce)
        pos, neg = (_parameter(synapse, p["param"], part[0]) for part in parts)
        value = value + (pos - neg)
        given = homeostatic_parts(synapse, "bias", -drive if p["param"] == "delay" else drive, reduce)
        pos, neg = (_handed_over(case, part[0]) for part in given)
        out.add(param=value, rate=rate, update_pos=pos, update_neg_given=neg)
    return out.stacked()


def _synapse(case: Case) -> Synapse:
    """From the connection's name and the recorded shapes; a bias case tells no input, and any size of it will do."""
    p, outputs = case.params, case["post"].shape[2:]
    inputs = case["param"].shape[-1] if p["param"] != "bias" else 1
    if p["connection"] != "Conv2D":
        return {"LinearDense": lambda: Linear(inputs, outputs[0]), "LinearDirect": lambda: OneToOne(outputs[0]),
                "LinearLateral": lambda: Lateral(outputs[0])}[p["connection"]]()  # fmt: skip
    kernel, stride, padding = (tuple(p[name]) for name in ("kernel", "stride", "padding"))
    size = tuple((n - 1) * s + k - 2 * pad for n, s, k, pad in zip(outputs[1:], stride, kernel, padding))
    channels = case["param"].shape[2] if p["param"] != "bias" else 1
    return Conv2d(channels, outputs[0], size, kernel, stride, padding=padding)


def _parameter(synapse: Synapse, param: str, part: Tensor) -> Tensor:
    """A bias is one per channel."""
    return part.flatten(1)[:, 0] if param == "bias" and part.ndim > 1 else part


def _handed_over(case: Case, part: Tensor) -> Tensor:
    """The source hands its updater one number per output neuron or channel."""
    return part.flatten(1)[:, 0] if part.ndim > 1 else part
