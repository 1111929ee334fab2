"""Steps that the sources share, on our axes: ``(ticks, agents=1, envs, *neurons)`` and weights ``(agents=1, *weight)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.equations.traces import trace_step
from rstdp_agents.spiking.plasticity.stdp import PairTerms, pair_terms
from rstdp_agents.spiking.reductions import Reduction, add_envs, mean_envs, per_weight
from rstdp_agents.spiking.synapses import Synapse

from .loader import Case

REDUCTIONS: dict[str, Reduction] = {
    "mean": mean_envs, "sum": add_envs, "squeeze": add_envs, "amax": torch.amax, "amin": torch.amin,
}  # fmt: skip


def reduction(name: str) -> Reduction:
    """From the description, e.g. ``sum`` or ``default (mean)``."""
    return REDUCTIONS[name.split("(")[-1].rstrip(")")]


def spikes(case: Case, name: str) -> Tensor:
    """Recorded spikes as ``(ticks, 1, envs, *neurons)``; a missing batch or neuron axis becomes one of size 1."""
    array = case[name]
    array = array[:, None] if "B" not in case.axes[name] else array
    array = array[:, :, None] if array.ndim == 2 else array
    return array[:, None]


def modulator(case: Case, synapse: Synapse, reward: Tensor, envs: int) -> Tensor:
    """Reward of one step as ``(1, envs)``, or one for every weight where the source gives one per output neuron."""
    axes = [axis for axis in case.axes["reward"][1:] if axis != "one"]
    if axes in (["N_post"], ["N_out"]):
        return per_weight(synapse, reward.reshape(1, 1, -1).expand(1, envs, -1))
    if axes not in ([], ["B"]):
        raise AssertionError(f"{case.id}: a reward with the axes {case.axes['reward']} is of an unknown kind")
    return reward.reshape(1, -1).expand(1, envs)


class Traces(NamedTuple):
    """Traces of input and output, without the ticks axis."""

    x: Tensor
    y: Tensor

    @classmethod
    def zero(cls, pre: Tensor, post: Tensor) -> Traces:
        return cls(torch.zeros_like(pre[0]), torch.zeros_like(post[0]))


def tick(
    synapse: Synapse, pre: Tensor, post: Tensor, traces: Traces, decays: tuple[float, float],
    amplitudes: tuple[float, float] = (1.0, 1.0), step: Callable[..., Tensor] = trace_step,
) -> tuple[Traces, PairTerms]:  # fmt: skip
    """Traces first, then the pairs of this tick."""
    x = step(traces.x, pre, decays[0], amplitudes[0])
    y = step(traces.y, post, decays[1], amplitudes[1])
    return Traces(x, y), pair_terms(synapse, pre[None], post[None], x[None], y[None])


class Recorder:
    """Collects one tensor per step and name, and stacks them along time."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Tensor]] = {}

    def add(self, **tensors: Tensor) -> None:
        for name, tensor in tensors.items():
            self.rows.setdefault(name, []).append(tensor.clone())

    def stacked(self) -> dict[str, Tensor]:
        return {name: torch.stack(rows) for name, rows in self.rows.items()}
