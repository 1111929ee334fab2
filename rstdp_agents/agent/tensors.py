"""The state of a population as tensors by name: put back, and looked through for what is no longer finite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from rstdp_agents.agent.config import BackendName
from rstdp_agents.base.errors import CheckpointError

ENDS = {
    "agent": ("the input", "look at what --encoder makes of the observations"),
    "critic": ("the critic", "lower --modulation.critic-lr or --modulation.gamma"),
    "m": ("the modulator", "lower --modulation.reward-scale or --modulation.critic-lr"),
    "modulator": ("the modulator", "lower --modulation.reward-scale"),
}
"""By the first word of a tensor's name: who is no longer finite, causes first, and what to do; all others are layers."""


def restore(target: dict[str, Tensor], source: dict[str, Tensor], path: Path) -> None:
    """Copy every tensor of ``source`` into its namesake, after checking that all fit; ``path`` names the file in errors."""
    for name in sorted(target.keys() | source.keys()):
        want = tuple(target[name].shape) if name in target else None
        got = tuple(source[name].shape) if name in source else None
        if want != got:
            raise CheckpointError(
                f"{path} does not fit this configuration: {name} has the shape {got}, expected {want}"
            )
    check_finite(source, path)
    for name, tensor in source.items():
        with torch.no_grad():
            target[name].copy_(tensor)


def check_finite(tensors: dict[str, Tensor], path: Path) -> None:
    """Raise CheckpointError where numbers of the agents in a checkpoint are not finite."""
    wrong = not_finite(tensors)
    if wrong:
        raise CheckpointError(f"{path} holds numbers of no use: {wrong}")


def all_finite(tensor: Tensor) -> bool:
    """Whether all numbers are finite. Their sum tells at once unless it overflows, in a tenth of the time of looking at each."""
    return bool(tensor.sum().isfinite() or tensor.isfinite().all())


def not_finite(tensors: Mapping[str, Tensor]) -> str:
    """Whose numbers are not finite, and what to do; empty where all are. tensors: those of `Agent.tensors`."""
    wrong = {
        name: tensor
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and not name.startswith("statistics.") and not all_finite(tensor)
    }
    if not wrong:
        return ""
    causes = [name for first in ENDS for name in wrong if name.partition(".")[0] == first]
    name = (causes or list(wrong))[0]
    first, _, what = name.partition(".")
    who, cure = ENDS.get(first, (f"layer {first} ({what})", "lower --plasticity.lr"))
    agent = int((~wrong[name].isfinite()).nonzero()[0, 0])
    return f"{who} of agent {agent} is no longer finite: {cure}"


def written_by(tensors: Iterable[str]) -> BackendName:
    """The backend that wrote a checkpoint with tensors of these names: compiled code has some that no other reads."""
    return "fused" if any(name.startswith("fused.") for name in tensors) else "torch"
