"""Checkpoints: tensors in safetensors, everything else as JSON in the same file's header. Loading runs no code."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from rstdp_agents.agent.config import BackendName
from rstdp_agents.agent.tensors import written_by
from rstdp_agents.base.errors import CheckpointError
from rstdp_agents.base.files import write_whole

FORMAT = 8
"""Of what a checkpoint holds; one of another format has other tensors, or inputs that mean something else, and is refused."""
KEY = "rstdp_agents"
"""Key of the data in a file's metadata."""
RUN = "run"
"""Key of the identity of the run that wrote it."""
NAME = re.compile(r"step_(\d+)\.safetensors")


def save_checkpoint(path: Path, tensors: dict[str, Tensor], data: dict[str, Any], run: str = "") -> None:
    """Write a checkpoint; ``path`` never holds half of one, and after an error still holds the old one.

    run: identity of the run that it belongs to; empty if it may belong to any.
    """
    contiguous = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    text = json.dumps({"format": FORMAT, **data})
    write_whole(path, save(contiguous, metadata={KEY: text, RUN: run, "sha256": checksum(text, run, contiguous)}))


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and data of a checkpoint. Raises CheckpointError naming the file and what is wrong with it."""
    with opened(path) as file:
        metadata = file.metadata() or {}
        text = metadata[KEY]
        data = json.loads(text)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    written = data.pop("format", None) if isinstance(data, dict) else None
    if written != FORMAT:
        raise CheckpointError(
            f"{path} has format {one_line(written)}, which this version cannot read; expected format {FORMAT}"
        )
    if metadata.get("sha256") != checksum(text, metadata.get(RUN, ""), tensors):
        raise CheckpointError(f"{path} is damaged: its content does not match its checksum")
    return tensors, data


def identity(path: Path) -> str:
    """Identity of the run that wrote a checkpoint; empty if unknown. Raises CheckpointError as `load_checkpoint`."""
    with opened(path) as file:
        return (file.metadata() or {}).get(RUN, "")


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A safetensors file; errors are raised as CheckpointError."""
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except OSError as error:
        raise CheckpointError(f"cannot read the checkpoint {path}: {error.strerror or error}") from error
    except (SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is damaged or not a checkpoint of rstdp_agents ({one_line(error)})") from error


def checksum(text: str, run: str, tensors: dict[str, Tensor]) -> str:
    """SHA-256 of the data, of the run's identity, and of names, types, shapes and bytes of all tensors."""
    total = hashlib.sha256(f"{text}{run}".encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data if tensor.numel() else b"")
    return total.hexdigest()


def one_line(what: object) -> str:
    """An error's message, or a value, in one line of at most 200 characters."""
    return " ".join(str(what).split())[:200]


def backend_of(path: Path) -> BackendName:
    """`written_by` of a file. Raises CheckpointError as `load_checkpoint`."""
    with opened(path) as file:
        return written_by(file.keys())


def checkpoints(run_dir: Path) -> list[Path]:
    """Checkpoints of a run folder, the oldest first."""
    found = ((path, NAME.fullmatch(path.name)) for path in (run_dir / "checkpoints").glob("step_*.safetensors"))
    return [path for _, path in sorted((int(name[1]), path) for path, name in found if name)]


def checkpoint_path(run_dir: Path, step: int) -> Path:
    """Path of the checkpoint of an env step."""
    return run_dir / "checkpoints" / f"step_{step:010d}.safetensors"


def latest_checkpoint(run_dir: Path) -> Path:
    """The newest checkpoint of a run folder, or ``run_dir`` itself if it is a file."""
    if run_dir.is_file():
        return run_dir
    found = checkpoints(run_dir)
    if not found:
        raise CheckpointError(f"no checkpoint to resume from in {run_dir / 'checkpoints'}")
    return found[-1]


def drop_old(run_dir: Path, keep: int) -> None:
    """Delete all checkpoints but the last ``keep``, or none if that is 0."""
    for path in checkpoints(run_dir)[:-keep] if keep else []:
        path.unlink()
