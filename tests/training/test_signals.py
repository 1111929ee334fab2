"""What asks a run to stop: it finishes its step and leaves a checkpoint, and the exit code says what it was."""

import os
import signal
import sys

import pytest

from rstdp_agents.base.signals import SIGNALS, stop_requests
from rstdp_agents.tools.cli import main
from rstdp_agents.training import loop as training
from rstdp_agents.training.loop import Training
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint
from tests.helpers import at_step
from tests.training.runs.test_resume import config, forks

pty = pytest.importorskip("pty")
QUICK = {"backend": "torch", "images": 0, "eval_every": 0}


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_run_after_its_step_with_a_checkpoint(number, tmp_path):
    often = 1 if number == signal.SIGINT else 3  # a terminal that closes tells everybody twice
    with Training(config(**QUICK), tmp_path) as run:
        at_step(run, 50, lambda: [signal.raise_signal(number) for _ in range(often)])
        assert not run.run()
        assert (run.step, run.stopped_by) == (50, number)
    assert load_checkpoint(latest_checkpoint(tmp_path))[1]["step"] == 50
    assert signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler)


def test_what_was_ignored_stays_ignored(tmp_path):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_requests() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop == []
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@forks
@pytest.mark.parametrize("how", ["serial", "async"])
def test_a_terminal_that_is_closed_leaves_a_checkpoint_that_is_gone_on_with(how, tmp_path):
    folder = tmp_path / "run"
    line = ["--run-dir", str(folder), "--backend", "torch", "--images", "0", "--checkpoint-every", "50"]
    line += ["--vectorization", how, "--log-every", "10", "--eval-episodes", "0"]
    reads, writes = os.pipe()
    child, terminal = pty.fork()
    if not child:
        code = 99
        try:
            sys.stdout, sys.stderr = (open(number, "w") for number in (1, 2))  # noqa: SIM115 (in place of pytest's)
            training.drop_old = lambda *_: os.write(writes, b".")  # there is a checkpoint
            code = main([*line, "--total-steps", "1000000"])
        finally:
            os._exit(code)
    os.close(writes)
    assert os.read(reads, 1) == b"."
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 128 + signal.SIGHUP
    step = load_checkpoint(latest_checkpoint(folder))[1]["step"]
    assert main(["--resume", str(folder), "--total-steps", str(step + 20), "--no-progress"]) == 0
    assert load_checkpoint(latest_checkpoint(folder))[1]["step"] == step + 20
    assert not list(folder.rglob("*.aside"))
