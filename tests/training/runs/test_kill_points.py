"""Runs that are killed at any operation on a file, against one that was not. KILLS=1000 tries every point, and kills again."""

import atexit
import builtins
import json
import os
import random
import shutil
import signal
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import numpy as np
import pytest

from rstdp_agents.tools.cli import main
from rstdp_agents.training.runs.checkpoint import checkpoints, load_checkpoint
from tests.training.runs.test_resume import forks, scalars

KILLS = int(os.environ.get("KILLS", "1"))
ALL = KILLS >= 1000
LINE = ["--backend", "torch", "--total-steps", "60", "--log-every", "20", "--checkpoint-every", "25", "--no-progress"]
LINE += [
    "--encoder",
    "place-cells",
    "--encoder.cells",
    "2",
    "2",
    "2",
    "2",
    "--eval-episodes",
    "1",
    "--max-episode-steps",
    "30",
]
KINDS = {
    "closing": [*LINE, "--images", "0"],
    "evaluations": [*LINE, "--images", "0", "--eval-every", "20", "--keep-checkpoints", "2"],
    "images": [*LINE, "--images", "1", "--checkpoint-every", "55"],
    "auto": [*LINE, "--images", "0", "--backend", "auto", "--agents", "2"],
}


class Mortal:
    """Counts operations on files in this process, and ends it at one of them; half: what is written then is half written."""

    def __init__(self, at=None, half=False):
        self.count, self.at, self.half = 0, at, half
        for name in ("fsync", "replace", "rename", "unlink", "truncate", "mkdir"):
            setattr(os, name, self.watched(getattr(os, name)))
        opened = builtins.open
        builtins.open = lambda path, mode="r", *args, **options: self.file(
            path, mode, opened(path, mode, *args, **options)
        )

    def watched(self, do):
        def watch(*args, **options):
            self.tick()
            return do(*args, **options)

        return watch

    def tick(self, before=None):
        self.count += 1
        if self.count == self.at:
            if before:
                before()
            os.kill(os.getpid(), signal.SIGKILL)

    def file(self, path, mode, file):
        if not isinstance(path, Path) or not set(mode) & set("wxa+"):
            return file
        self.tick()
        return Watched(self, file)


class Watched:
    """A file whose writes are counted."""

    def __init__(self, mortal, file):
        self.mortal, self.inner = mortal, file

    def write(self, data):
        self.mortal.tick(
            (lambda: (self.inner.write(data[: len(data) // 2]), self.inner.flush())) if self.mortal.half else None
        )
        return self.inner.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.inner.close()

    def __getattr__(self, name):
        return getattr(self.inner, name)


def in_child(line, said, at=None, half=False):
    """Run a command line in a process of its own; returns its exit code (-9: killed), and operations on files."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        code = 99
        try:
            sys.argv = ["train.py", *line]
            with open(said, "w") as out, redirect_stdout(out), redirect_stderr(out):
                mortal = Mortal(at, half)
                code = main(line)
                os.write(writes, str(mortal.count).encode())
        finally:
            os._exit(code)
    os.close(writes)
    told = os.read(reads, 100)
    os.close(reads)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), int(told or 0)


def contents(folder):
    """Files of a run folder by name, in a form in which those of two equal runs are equal."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    out = {name: read(path) for name, path in files.items() if "tfevents" not in name}
    return {**out, "events": scalars(folder)}


def read(path):
    if path.suffix == ".safetensors":
        tensors, data = load_checkpoint(path)
        data = json.loads(json.dumps(data))
        data["config"] |= {"run_dir": "", "resume": ""}
        [data["monitor"].pop(name) for name in ("seconds", "events", "rows")]
        return data, {name: (str(t.dtype), tuple(t.shape), t.numpy().tobytes()) for name, t in tensors.items()}
    if path.suffix == ".npz":
        with np.load(path) as saved:
            return {name: saved[name].tolist() for name in saved.files}
    if path.suffix == ".csv":
        return [row.split(",")[:2] + row.split(",")[3:] for row in path.read_text().splitlines()[1:]]
    return {"config.json": None, "environment.txt": None}.get(path.name, path.read_text())


@cache
def undisturbed(kind):
    """The folder of a run that is not killed, what is in it, and operations on files that it took."""
    folder = Path(mkdtemp(prefix="kills"))
    atexit.register(rmtree, folder, ignore_errors=True)
    main(
        [*KINDS[kind], "--total-steps", "1", "--checkpoint-every", "1", "--run-dir", str(folder / "loaded")]
    )  # for all children
    code, count = in_child([*KINDS[kind], "--run-dir", str(folder / "run")], folder / "said")
    assert code == 0, (folder / "said").read_text()
    return folder, contents(folder / "run"), count


def survives(kind, kills, folder):
    """Have a run killed at each of ``kills``, going on in between as a person would, and compare it with the undisturbed one."""
    line = [*KINDS[kind], "--run-dir", str(folder / "run")]
    for at, half in [*kills, (None, False)]:
        begun = (folder / "run" / "config.json").exists()
        now = ["--resume", str(folder / "run"), "--no-progress"] if begun else line
        code, _ = in_child(now, folder / "said", at, half)
        said = (folder / "said").read_text()
        assert code == 0 or (at and code == -9), said
        assert "Traceback" not in said
        assert ".aside" not in said
        if code == 0:
            break
    expected, got = undisturbed(kind)[1], contents(folder / "run")
    assert got.keys() == expected.keys()
    for name, what in expected.items():
        assert got[name] == what, name


@pytest.mark.slow
@forks
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_at_any_operation_on_a_file_ends_as_one_that_was_not(kind, tmp_path):
    folder, _, count = undisturbed(kind)
    assert len(checkpoints(folder / "run")) >= 2
    every = [(at, half) for at in range(1, count + 1) for half in (False, True)]
    few = random.Random(KILLS)
    each = [[one] for one in (every if ALL else few.sample(every[count:], KILLS))]  # most goes on at the end
    each += [few.sample(every, few.randrange(2, 5)) for _ in range(KILLS // len(KINDS) if ALL else 1)]
    for i, kills in enumerate(each):
        (tmp_path / str(i)).mkdir()
        try:
            survives(kind, kills, tmp_path / str(i))
        except AssertionError as error:
            raise AssertionError(f"killed at {kills} of {count}: {error}") from error
        shutil.rmtree(tmp_path / str(i))
