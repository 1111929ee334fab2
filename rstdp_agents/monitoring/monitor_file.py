"""monitor.csv: a line for every episode, as the Monitor of Stable-Baselines3 writes it."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterable
from pathlib import Path

from rstdp_agents.config import COLUMNS
from rstdp_agents.episodes import Episode

NAME = "monitor.csv"

THRESHOLD = "reward_threshold"


def threshold(first_line: str) -> float | None:
    """The reward threshold that the first line of a file holds. Raises ValueError for a line that is none of such a file."""
    about = json.loads(first_line.removeprefix("#"))
    value = about.get(THRESHOLD) if isinstance(about, dict) else None
    return value if isinstance(value, int | float) and math.isfinite(value) else None


class MonitorFile:
    """The file of a run, written to from its end on.

    keywords: of the numbers of `info`. threshold: at which mean return the task is solved, if somebody says. size: bytes that it
    had at the checkpoint at which the run goes on; None for a new run in an empty folder.
    """

    def __init__(
        self, folder: Path, env: str, keywords: tuple[str, ...], threshold: float | None, size: int | None
    ) -> None:
        self._file = open(folder / NAME, "a", buffering=1 << 16)  # noqa: SIM115 (kept open)
        if size is not None:
            self._file.truncate(min(size, self._file.tell()))
        if not size:
            header = ",".join((*COLUMNS, *keywords))
            about = {"t_start": time.time(), "env_id": env, THRESHOLD: threshold}
            self._file.write(f"#{json.dumps(about)}\n{header}\n")

    def write(self, episodes: Iterable[Episode], seconds: float) -> None:
        """Append a line for each episode."""
        for e in episodes:
            info = "".join(f",{number:.6g}" for number in e.info)
            self._file.write(f"{e.episode_return:.15g},{e.length},{seconds:.3f},{e.agent}{info}\n")

    def size(self) -> int:
        """Bytes of the file, all of them seen onto the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def flush(self) -> None:
        """Hand all to the system."""
        self._file.flush()

    def close(self) -> None:
        """Write the rest and close the file."""
        self._file.close()
