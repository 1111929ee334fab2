"""Runs on devices that are not here: one line names device, file and way out; with --device the run is of use all the same."""

import json
import shutil

import pytest

from rstdp_agents.agent.tensors import written_by
from rstdp_agents.base.errors import UsageError
from rstdp_agents.training.api import load
from rstdp_agents.training.runs.checkpoint import checkpoints, load_checkpoint, save_checkpoint

ABSENT = ["cuda:99", "mps:7", "xpu:99", "vulkan", "meta", "hpu", "banana", "cuda:x", ""]


@pytest.fixture
def moved(run, tmp_path):
    """A copy of the run as another device has left it."""

    def move(**changes):
        shutil.copytree(run, tmp_path / "moved", dirs_exist_ok=True)
        file = checkpoints(tmp_path / "moved")[-1]
        tensors, data = load_checkpoint(file)
        save_checkpoint(file, tensors, {**data, "config": {**data["config"], **changes}})
        return tmp_path / "moved", file

    return move


@pytest.mark.parametrize("device", ABSENT)
def test_a_device_that_is_not_here_is_told_with_file_and_way_out(moved, command, device):
    folder, file = moved(device=device, backend="auto")
    for line in (["eval", folder], ["--resume", folder]):
        code, out, err = command(*line)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(f"error: {file} belongs to a run on the device {device!r}, which cannot be used here (")
        assert err.endswith("); choose another: --device cpu\n")
    with pytest.raises(UsageError, match="which cannot be used here"):
        load(folder)
    assert load(folder, device="cpu").agent.device.type == "cpu"


@pytest.mark.parametrize("name", ["eval", "video", "export"])
def test_a_device_of_the_command_line_that_is_not_here_is_told_as_such(run, command, tmp_path, name):
    out = ["--out", tmp_path / "out.pt2"] if name != "eval" else []
    code, _, err = command(name, run, "--device", "banana", *out)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("error: `--device banana` cannot be used here: Expected one of cpu, cuda")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_with_a_device_that_is_here_a_run_of_another_is_evaluated_and_exported_as_on_its_own(
    run, moved, command, tmp_path
):
    folder, file = moved(device="cuda:99", backend="auto")
    here, there = (command("eval", f, "--episodes", 3, "--device", "cpu")[:2] for f in (run, folder))
    assert here[0] == there[0] == 0
    assert here[1].splitlines()[1:] == there[1].splitlines()[1:]
    code, out, err = command("export", folder, "--out", tmp_path / "agent.pt2")  # on the CPU, unless told otherwise
    assert (code, err) == (0, "")
    assert out.startswith(f"{tmp_path / 'agent.pt2'}: agent 0 of {file}, ")


def test_a_run_of_another_device_is_resumed_by_the_backend_that_began_it(moved, command):
    folder, file = moved(device="cuda:99", backend="auto")
    assert written_by(load_checkpoint(file)[0]) == "torch"
    code, _, err = command("--resume", folder, "--device", "cpu", "--total-steps", 640, "--no-progress")
    assert (code, err) == (0, "")
    assert [agent["steps"] for agent in json.loads((folder / "summary.json").read_text())["agents"]] == [640, 640]
    config = json.loads((folder / "config.json").read_text())
    assert (config["device"], config["backend"]) == ("cpu", "auto")
    code, _, err = command("--resume", folder, "--device", "cpu", "--backend", "fused", "--total-steps", 700)
    assert (code, err.count("\n")) == (2, 1)
    assert err.endswith("step_0000000640.safetensors is of --backend torch and goes on with that; received fused\n")
