"""TensorBoard's event files, written in this thread, so that errors show where they happen and files can be truncated."""

from __future__ import annotations

import logging
import os
import socket
import time
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # pyright: ignore[reportAttributeAccessIssue] (made)
from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue] (made)
from tensorboard.summary.writer.record_writer import RecordWriter
from torch.utils.tensorboard import FileWriter, SummaryWriter

from rstdp_agents.base.growing import Extent, Growing, cut_back, put_aside
from rstdp_agents.base.wording import shown

NAMES = "events.out.tfevents.*"
OURS = ".rstdp"
"""Suffix of a run's own event files: others in its folder are left alone."""
POINTS = "TensorBoard lacks points before env step"

logger = logging.getLogger(__name__)


class EventFile:
    """The writer inside `FileWriter`: one file in ``folder``, named so that TensorBoard reads it after all others."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        last = max(map(_stamp, folder.glob(NAMES)), default=0)
        stamp = max(int(time.time()), last + 1)  # the clock may have been set back
        self.path = folder / f"events.out.tfevents.{stamp:010d}.{socket.gethostname()}.{os.getpid()}{OURS}"
        self._file = Growing(self.path)
        self._records = RecordWriter(self._file)
        self.add_event(Event(wall_time=time.time(), file_version="brain.Event:2"))
        self.flush()

    def get_logdir(self) -> str:
        """The folder."""
        return str(self.folder)

    def add_event(self, event: Event) -> None:
        """Append one event."""
        self._records.write(event.SerializeToString())

    def flush(self) -> None:
        """Pass everything to the system."""
        self._file.flush()

    def sync(self) -> Extent:
        """Sync everything to disk; returns the extent."""
        return self._file.sync()

    def close(self) -> None:
        """Write the rest and close the file."""
        self._file.close()


class Writer(FileWriter):
    """torch's FileWriter on an `EventFile`."""

    def __init__(self, file: EventFile) -> None:
        self.event_writer = file  # pyright: ignore[reportAttributeAccessIssue] (it has the methods that FileWriter calls)


class Events(SummaryWriter):
    """torch's SummaryWriter on an `EventFile`: scalars of one step are one event, written at the next step or `flush`.

    purge_step: env step from which a reader must discard what it has read before.
    """

    def __init__(self, folder: Path, purge_step: int | None = None) -> None:
        self.file = EventFile(folder)
        self._step, self._scalars = 0, Summary()
        super().__init__(str(folder))
        if purge_step is not None:
            self.file.add_event(Event(step=purge_step, session_log=SessionLog(status=SessionLog.START)))

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """As SummaryWriter does, in a tenth of the time."""
        if global_step != self._step:
            self._write_scalars()
            self._step = global_step
        self._scalars.value.add(tag=tag, simple_value=float(scalar_value))

    def flush(self) -> None:
        """Write what is pending, and pass everything to the system."""
        self._write_scalars()
        super().flush()

    def _write_scalars(self) -> None:
        if self._scalars.value:
            self.file.add_event(Event(wall_time=time.time(), step=self._step, summary=self._scalars))
            self._scalars = Summary()

    def _get_file_writer(self) -> FileWriter:
        if self.file_writer is None:
            self.file_writer = Writer(self.file)
            self.all_writers = {str(self.file.folder): self.file_writer}
        return self.file_writer


def cut_back_events(folder: Path, known: dict[str, Extent], step: int) -> dict[str, Extent]:
    """Truncate the run's event files in a folder to a checkpoint at env step ``step``; returns those that match it.

    Files that did not exist then are deleted; files that do not match are put aside.
    """
    kept = {}
    for path in list(folder.glob(NAMES + OURS)):
        if path.name not in known:
            path.unlink()
        elif cut_back(path, known[path.name]):
            kept[path.name] = known[path.name]
        else:
            put_aside(path, f"{POINTS} {step}")
    for name in known.keys() - {path.name for path in folder.glob(NAMES + OURS)}:
        logger.warning("%s is gone: %s %d", shown(name), POINTS, step)
    return kept


def _stamp(path: Path) -> int:
    """The time in the name of an event file; 0 if there is none."""
    number = path.name.split(".")[3]
    return int(number) if number.isdecimal() else 0
