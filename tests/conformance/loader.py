"""Reads a folder of reference cases: `cases.json` and one `.npz` per case."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

DATA = Path(__file__).parent / "data"
TOLERANCE = 2e-5


@dataclass(frozen=True)
class Case:
    """One recorded trajectory, in float64, and the description of it."""

    id: str
    package: str
    rule: str
    dt: float
    batch: int | None
    params: dict[str, Any]
    axes: dict[str, list[str]]
    arrays: dict[str, Tensor]

    def __getitem__(self, name: str) -> Tensor:
        return self.arrays[name]

    def has(self, name: str) -> bool:
        return name in self.arrays


def case_ids(folder: Path) -> list[str]:
    return [entry["id"] for entry in described(folder, "cases")]


def load(folder: Path, case_id: str) -> Case:
    entry = next(entry for entry in described(folder, "cases") if entry["id"] == case_id)
    with np.load(folder / entry["file"]) as file:
        arrays = {name: torch.from_numpy(file[name]).double() for name in file.files}
    return Case(
        id=case_id, package=entry["package"].lower(), rule=entry["rule"], dt=float(entry["dt"]), batch=entry["batch"],
        params=entry["params"], axes={n: a["axes"].split(",") for n, a in entry["arrays"].items()}, arrays=arrays,
    )  # fmt: skip


def differences(case: Case, ours: dict[str, Tensor], given: frozenset[str]) -> dict[str, float]:
    """Largest difference per recorded array over max(1, largest recorded value); every array that is not `given` counts."""
    result = {}
    for name, theirs in case.arrays.items():
        if name in given:
            continue
        if name not in ours:
            raise AssertionError(f"{case.id}: `{name}` is recorded and was not replayed")
        got = ours[name].double().reshape(theirs.shape)
        result[name] = float((got - theirs).abs().max() / max(1.0, float(theirs.abs().max())))
    return result


def described(folder: Path, part: str) -> list[dict[str, Any]]:
    """One part of `cases.json`: cases, errors or facts."""
    return json.loads((folder / "cases.json").read_text(encoding="utf-8"))[part]
