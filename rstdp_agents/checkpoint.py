"""Checkpoints: tensors in safetensors, everything else as JSON in the same file's header. Loading runs no code."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rstdp_agents.errors import CheckpointError

FORMAT = 2


def save_checkpoint(path: Path, tensors: dict[str, Tensor], data: dict[str, Any]) -> None:
    """Write a checkpoint under another name and rename it, so that ``path`` never holds half of one."""
    contiguous = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    payload = save(contiguous, metadata={"rstdp_agents": json.dumps({"format": FORMAT, **data})})
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and data of a checkpoint. Raises CheckpointError naming the file and what is wrong with it."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["rstdp_agents"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except OSError as error:
        raise CheckpointError(f"cannot read the checkpoint {path}: {error.strerror or error}") from error
    except (SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged or not a checkpoint of rstdp_agents ({error})") from error
    if header.pop("format", None) != FORMAT:
        raise CheckpointError(f"{path} has a format that this version does not read; expected format {FORMAT}")
    return tensors, header


def restore(target: dict[str, Tensor], source: dict[str, Tensor], path: Path) -> None:
    """Copy every tensor of ``source`` into its namesake, after checking that all fit; `path` names the file in errors."""
    for name in sorted(target.keys() | source.keys()):
        want = tuple(target[name].shape) if name in target else None
        got = tuple(source[name].shape) if name in source else None
        if want != got:
            raise CheckpointError(
                f"{path} does not fit this configuration: {name} has the shape {got}, expected {want}"
            )
    for name, tensor in source.items():
        with torch.no_grad():
            target[name].copy_(tensor)


def latest_checkpoint(run_dir: Path) -> Path:
    """The newest checkpoint of a run folder, or ``run_dir`` itself where it is a file."""
    if run_dir.is_file():
        return run_dir
    found = sorted((run_dir / "checkpoints").glob("step_*.safetensors"))
    if not found:
        raise CheckpointError(f"no checkpoint to resume from in {run_dir / 'checkpoints'}")
    return found[-1]
