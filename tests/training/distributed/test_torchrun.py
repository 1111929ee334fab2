import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rstdp_agents.base.settings import from_json
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.loop import Training
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint
from tests.helpers import Corridor  # noqa: F401 (registered there)

ROOT = Path(__file__).parents[3]
MORTAL = """
import os
from pathlib import Path

from tests.helpers import Corridor


class Mortal(Corridor):
    def step(self, action):
        mark = Path(__file__).with_name("died")
        if os.environ["RANK"] == "1" and self.total == 60 and not mark.exists():
            mark.touch()
            os._exit(9)
        return super().step(action)
"""


@pytest.mark.slow
def test_torchrun_starts_a_lost_process_again_and_the_run_ends_as_if_nothing_had_been(tmp_path):
    (tmp_path / "mortal.py").write_text(MORTAL)
    line = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=1"]
    line += ["train.py", "--env", "mortal:Mortal", "--agents", "2", "--envs-per-agent", "4", "--total-steps", "400"]
    line += ["--checkpoint-every", "100", "--eval-episodes", "0", "--images", "0", "--no-progress"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [*line, "--run-dir", str(tmp_path / "run")], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "died").exists()
    last = tmp_path / "run" / "checkpoints" / "step_0000000200.safetensors"
    assert f"as rank 0 found after env step 240; the last checkpoint: {last}" in " ".join(ran.stderr.split())
    assert f"(from {last}), 2 processes" in ran.stdout
    settings = from_json(RunConfig, json.loads((tmp_path / "run" / "config.json").read_text()))
    with Training(replace(settings, env="Corridor-v0", backend="torch"), tmp_path / "alone") as alone:
        alone.run()
    (expected, data), (got, other) = (load_checkpoint(latest_checkpoint(tmp_path / name)) for name in ("alone", "run"))
    assert (other["step"], other["records"]) == (400, data["records"])
    torch.testing.assert_close(got["output.weight"], expected["output.weight"], rtol=1e-4, atol=1e-5)


LONELY = """
import os
import signal

from tests.helpers import Corridor


class Lonely(Corridor):
    def step(self, action):
        if os.environ["RANK"] == "1" and self.total == 60:
            os.kill(os.getppid(), signal.SIGKILL)
        return super().step(action)
"""


@pytest.mark.slow
def test_processes_whose_torchrun_is_killed_end_with_a_checkpoint(tmp_path):
    (tmp_path / "lonely.py").write_text(LONELY)
    line = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "train.py"]
    line += ["--env", "lonely:Lonely", "--envs-per-agent", "2", "--total-steps", "1000000", "--images", "0"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(  # which returns when nobody is left who could write to its pipes
        [*line, "--no-progress", "--run-dir", str(tmp_path / "run")], cwd=ROOT, env=environment, capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip
    assert ran.returncode == -signal.SIGKILL
    step = load_checkpoint(latest_checkpoint(tmp_path / "run"))[1]["step"]
    assert 120 <= step < 10_000  # of a million: as soon as they see it
    assert f"interrupted at step {step}; resume with" in ran.stdout
