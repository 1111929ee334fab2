"""Real faults, caused for real: what is left of a run afterwards goes on."""

import gc
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.base.settings import override
from rstdp_agents.tools.cli import main
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint
from tests.helpers import at_step
from tests.training.runs.test_resume import assert_same_run, config, forks, train

ROOT = Path(__file__).parent.parent
SETTINGS = {"eval_every": 0, "images": 0}


@contextmanager
def small_disk(folder, *options):
    """A file system of its own on ``folder``; only root may mount one."""
    if sys.platform != "linux" or os.geteuid():
        pytest.skip("only root can mount a file system")
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(["size=1m", *options]), "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder, leaving):
    """Fill a disk but for so many bytes."""
    with suppress(OSError), open(folder / "filler", "wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    os.truncate(folder / "filler", (folder / "filler").stat().st_size - leaving)


@pytest.mark.parametrize("leaving", [32768, 0])
def test_a_disk_that_is_full_costs_no_more_than_an_interval(tmp_path, leaving):
    settings = config(agents=3, **SETTINGS)
    train(settings, tmp_path / "undisturbed")
    disk = tmp_path / "disk"
    with small_disk(disk):
        full = pytest.raises(OSError, match=r"No space left on device.*run")
        with full, Training(settings, disk / "run") as run:
            at_step(run, 205, lambda: fill(disk, leaving))
            run.run()
        where = latest_checkpoint(disk / "run")
        assert load_checkpoint(where)[1]["step"] == 200
        assert not list(where.parent.glob("*.partial"))
        (disk / "filler").unlink()
        train(settings, disk / "run")
        assert_same_run(tmp_path / "undisturbed", disk / "run")


def test_a_file_that_may_not_grow_is_an_error_in_one_line(tmp_path, capsys):
    resource = pytest.importorskip("resource")
    line = ["--encoder.code", "place-cells", "--total-steps", "300", "--no-progress"]
    assert main(["--run-dir", str(tmp_path / "before"), *line]) == 0  # after which compiled code is on disk
    capsys.readouterr()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        code = main(["--run-dir", str(tmp_path / "run"), *line])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (1, 1)
    assert said.startswith("error: [Errno 27] File too large: ")
    assert not list((tmp_path / "run").glob("checkpoints/*"))


def test_a_folder_that_cannot_be_written_to_is_an_error_in_one_line(tmp_path, capsys):
    with small_disk(tmp_path / "disk"):
        subprocess.run(["mount", "-o", "remount,ro", tmp_path / "disk"], check=True)
        assert main(["--run-dir", str(tmp_path / "disk" / "run"), "--no-progress"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: [Errno 30] Read-only file system: ")
    assert said.count("\n") == 1


def test_two_runs_in_one_folder_are_refused(tmp_path):
    with Training(config(), tmp_path) as run:
        with pytest.raises(UsageError, match=f"another run is writing to {tmp_path}: wait for it, or give another"):
            Training(config(), tmp_path)
        run.run()
    with Training(config(total_steps=400), tmp_path, latest_checkpoint(tmp_path)):
        pass


@forks
def test_an_env_process_that_dies_stops_the_run_after_a_good_checkpoint(tmp_path, caplog):
    settings = config(envs_per_agent=2, vectorization="async", **SETTINGS)
    with Training(settings, tmp_path) as run:
        at_step(run, 90, lambda: os.kill(run.envs.grid.parts[0].processes[1].pid, signal.SIGKILL))
        with pytest.raises(EnvironmentFault, match=r"a process has ended: that of env 1 \(exit code -9\)"):
            run.run()
        weight = run.agent.layer.weight.clone()
    tensors, data = load_checkpoint(latest_checkpoint(tmp_path))
    assert data["step"] == 90
    assert torch.equal(tensors["output.weight"], weight)
    train(settings, tmp_path)
    assert "new episodes begin, because those in progress cannot be resumed: an env" in caplog.text
    assert load_checkpoint(latest_checkpoint(tmp_path))[1]["step"] == 360


@forks
def test_env_errors_restart_counts_the_fault_and_goes_on(tmp_path, caplog):
    settings = config(envs_per_agent=2, vectorization="async", env_errors="restart", **SETTINGS)
    with Training(settings, tmp_path) as run:
        at_step(run, 90, lambda: os.kill(run.envs.grid.parts[0].processes[0].pid, signal.SIGKILL))
        assert run.run()
        assert run.finish()["env_errors"] == 1
    assert "new episodes begin, because an environment failed: a process has ended" in caplog.text
    rows = (tmp_path / "monitor.csv").read_text().splitlines()[2:]
    assert all(float(row.split(",")[0]) == int(row.split(",")[1]) for row in rows)  # no episode of two halves
    assert len(rows) == run.tracker.records[0].episodes


def test_an_env_that_fails_now_and_then_is_made_anew_each_time(tmp_path):
    broken = {"env": "Corridor-v0", "env_kwargs": ("broken:('reward', 100, 1e999)",), "env_errors": "restart"}
    plain = {name: value for name, value in vars(config()).items() if name not in ("env", "agent", *broken)}
    settings = config(**{**plain, **broken, "agent.encoder.cells": (), **SETTINGS})
    with Training(settings, tmp_path) as run:
        assert run.run()
        assert (run.step, run.faults) == (360, 3)
    broken["env_kwargs"] = ("broken:('reward', 1, 1e999)",)
    with Training(config(**{**plain, **broken, **SETTINGS}), tmp_path / "at once") as run:
        with pytest.raises(EnvironmentFault, match="reward is not finite"):
            run.run()
        assert run.faults == 1


class Raising(gym.Env):
    """A box of zeros, whose 30th step raises."""

    observation_space = gym.spaces.Box(-1.0, 1.0, (2,))
    action_space = gym.spaces.Discrete(2)
    taken = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2, dtype=np.float32), {}

    def step(self, action):
        self.taken += 1
        if self.taken == 30:
            raise ArithmeticError("too much")
        return np.zeros(2, dtype=np.float32), 0.0, self.taken % 9 == 0, False, {}


gym.register("Raising-v0", Raising)


@forks
def test_what_an_env_raises_in_its_process_is_said_in_one_line(tmp_path, capfd):
    settings = override(preset("Raising-v0", "rstdp-et"), {**SETTINGS, "envs_per_agent": 2, "vectorization": "async"})
    settings = override(settings, {"total_steps": 100, "progress": False, "eval_episodes": 0})
    settings = override(
        settings, {"agent.encoder.low": (-1.0, -1.0), "agent.encoder.high": (1.0, 1.0)}
    )  # nothing to look for
    with Training(settings, tmp_path / "stop") as run, pytest.raises(EnvironmentFault, match=r"env 0: .*too much"):
        run.run()
    assert load_checkpoint(latest_checkpoint(tmp_path / "stop"))[1]["step"] == 58
    with Training(override(settings, {"env_errors": "restart"}), tmp_path / "restart") as run:
        assert run.run()
        assert run.faults == 1
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.slow
def test_memory_stays_as_it_is(tmp_path):
    settings, blocks = config(total_steps=12_000, checkpoint_every=2_000, log_every=500, **SETTINGS), []

    def count():
        gc.collect()
        blocks.append(sys.getallocatedblocks())

    with Training(settings, tmp_path) as run:
        record = run.monitor.record
        run.monitor.record = lambda step, *noted: (record(step, *noted), count() if step % 2_000 == 0 else None)
        run.run()
    assert max(blocks[2:]) - min(blocks[2:]) < 3_000  # of some 600,000; an object per step would add 8,000


def test_the_clock_may_jump(tmp_path, monkeypatch):
    settings, clock, jumps = config(**SETTINGS), time.time, iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: clock() - 86400 * next(jumps))
    with Training(override(settings, {"total_steps": 200}), tmp_path / "run") as run:
        run.run()
    train(settings, tmp_path / "run")
    monkeypatch.undo()
    train(settings, tmp_path / "undisturbed")
    assert_same_run(tmp_path / "undisturbed", tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run"))
    events.Reload()
    assert all(event.value > 0 for event in events.Scalars("charts/sps"))


def test_tensorboard_may_read_while_we_write(tmp_path):
    with Training(config(**SETTINGS, **{"agent.plasticity.lr": 0.0}), tmp_path) as run:  # so that episodes are short
        reader, seen = EventAccumulator(str(tmp_path), {"scalars": 0}), []

        def look(*_):
            reader.Reload()
            if "charts/episodic_return" in reader.Tags()["scalars"]:
                seen.append([(e.step, e.value) for e in reader.Scalars("charts/episodic_return")])

        record = run.monitor.record
        run.monitor.record = lambda *noted: (record(*noted), look())
        run.run()
    look()
    assert len(seen[-1]) > 5
    assert all(seen[-1][: len(points)] == points for points in seen)
    assert len({len(points) for points in seen}) > 3


@pytest.mark.slow
def test_sigterm_ends_the_command_with_its_own_code_and_a_checkpoint(tmp_path):
    command = [
        sys.executable,
        ROOT / "train.py",
        "--run-dir",
        tmp_path / "run",
        "--total-steps",
        "100000000",
        "--no-progress",
    ]
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        while not (tmp_path / "run" / "checkpoints").exists():
            assert process.poll() is None, lines
        process.terminate()
        lines += process.stdout.readlines()
    assert process.returncode == 143
    assert "interrupted at step" in lines[-1]
    step = int(lines[-1].split("interrupted at step ")[1].split(";")[0])
    assert load_checkpoint(latest_checkpoint(tmp_path / "run"))[1]["step"] == step
