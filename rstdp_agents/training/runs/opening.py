"""What lies in a run's folder when a run begins or resumes there, made what it has to be."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.runs.checkpoint import checkpoints, identity
from rstdp_agents.training.runs.folder import (
    check_places,
    check_unused,
    clear,
    forget,
    has_begun,
    identity_of,
    new_identity,
)
from rstdp_agents.training.runs.resume import is_own


class Opened(NamedTuple):
    """How a run begins in its folder."""

    goes_on: bool
    """From a checkpoint of this folder, whose files become what they were then."""
    starts_over: bool
    """It was killed before its first checkpoint."""
    identity: str
    """Of the run."""
    origin: str
    """Checkpoint of another folder that it goes on from; else empty."""


def settle(folder: Path, config: RunConfig, checkpoint: Path | None, step: int) -> Opened:
    """Take away what a run that stands at ``step`` of ``checkpoint`` has not written yet. The folder is held by its lock.

    Raises UsageError, with nothing changed, for a folder that holds another run.
    """
    own = checkpoint is not None and is_own(folder, checkpoint, step)
    if not own and checkpoints(folder):
        check_unused(folder)
    check_places(folder)
    clear(folder)
    again = has_begun(folder) and not own
    if again or (own and step < config.total_steps):
        forget(folder, everything=again)
    known = (identity(checkpoint) or identity_of(folder)) if own and checkpoint else ""
    origin = str(checkpoint.resolve()) if checkpoint and not own else ""
    return Opened(own, again, known or new_identity(), origin)
