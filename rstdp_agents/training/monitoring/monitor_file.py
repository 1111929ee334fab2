"""monitor.csv: a line for every episode, in the format of Stable-Baselines3's Monitor."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rstdp_agents.base.growing import Extent, Growing, cut_back, put_aside
from rstdp_agents.training.config import COLUMNS
from rstdp_agents.training.episodes import Episode

NAME = "monitor.csv"

THRESHOLD = "reward_threshold"
MISSING = "missing_before_step"


def threshold(first_line: str) -> float | None:
    """The reward threshold in the first line of a file. Raises ValueError for any other line."""
    value = _about(first_line).get(THRESHOLD)
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def missing(first_line: str) -> int:
    """Env step before which a file's episodes were lost; 0 if it has all. Raises ValueError as `threshold`."""
    value = _about(first_line).get(MISSING)
    return value if isinstance(value, int) else 0


def _about(first_line: str) -> dict[str, Any]:
    about = json.loads(first_line.removeprefix("#"))
    return about if isinstance(about, dict) else {}


class MonitorFile:
    """The file of a run, which is appended to.

    keywords: names of the numbers of `info`. threshold: mean return at which the task is solved, if known. before: the file's
    extent at the checkpoint from which the run is resumed, at env step ``step``; empty for a new run. If the file no longer
    matches, a new one begins, and its first line says before which step episodes are missing.
    """

    def __init__(
        self, folder: Path, env: str, keywords: tuple[str, ...], threshold: float | None, before: Extent, step: int
    ) -> None:
        path = folder / NAME
        kept = before if before.size and cut_back(path, before) else Extent()
        if before.size > kept.size:
            put_aside(path, f"episodes before env step {step} are missing from {NAME}")
        self._file = Growing(path, kept)
        if not kept.size:
            header = ",".join((*COLUMNS, *keywords))
            about = {"t_start": time.time(), "env_id": env, THRESHOLD: threshold}
            about |= {MISSING: step} if before.size else {}
            self._write(f"#{json.dumps(about)}\n{header}\n")

    def write(self, episodes: Iterable[Episode], seconds: float) -> None:
        """Append a line for each episode."""
        for e in episodes:
            info = "".join(f",{number:.6g}" for number in e.info)
            self._write(f"{e.episode_return:.15g},{e.length},{seconds:.3f},{e.agent}{info}\n")

    def sync(self) -> Extent:
        """Sync the file to disk; returns its extent."""
        return self._file.sync()

    def flush(self) -> None:
        """Pass everything to the system."""
        self._file.flush()

    def close(self) -> None:
        """Write the rest and close the file."""
        self._file.close()

    def _write(self, text: str) -> None:
        self._file.write(text.encode())
