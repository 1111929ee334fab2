"""Numbers that environments put into their `info`, such as success or performance, read at the ends of episodes and trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

TRIAL = "new_trial"
"""Key that neurogym's environments set in `info` at the end of a trial; their episodes have no other end."""


def at_ends(infos: Sequence[Mapping[str, Any]], done: np.ndarray, keywords: tuple[str, ...]) -> np.ndarray:
    """The numbers in `info` under ``keywords`` where an episode or a trial ends: ``(agents, envs, keywords)``, else nan.

    infos: one per env, agent after agent. done: bool ``(agents, envs)``.
    """
    out = np.full((done.size, len(keywords)), np.nan)
    for row, (info, ends) in enumerate(zip(infos, done.flat, strict=True)):
        if ends or info.get(TRIAL):
            out[row] = [number(info.get(key)) for key in keywords]
    return out.reshape(*done.shape, -1)


def number(value: Any) -> float:
    """A number, or a single-element array as a number; nan for anything else."""
    array = np.asarray(value)
    return float(array.item()) if array.size == 1 and array.dtype.kind in "buif" else np.nan


def of_each(infos: Mapping[str, Any], rows: int, keywords: tuple[str, ...]) -> list[dict[str, Any]]:
    """The `info` of a vector environment split into its ``rows``: for rows that ended, their final info."""
    out: list[dict[str, Any]] = [{} for _ in range(rows)]
    for part in (infos, infos.get("final_info", {})):
        for row in np.flatnonzero(infos.get("_final_info", ())) if part is not infos else ():
            out[row] = {}  # the entries so far belong to the new episode
        for key in part.keys() & {*keywords, TRIAL}:
            for row in np.flatnonzero(part.get(f"_{key}", np.ones(rows, dtype=bool))):
                out[row][key] = part[key][row]
    return out
