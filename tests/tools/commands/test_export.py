import json

import pytest
import torch

from rstdp_agents.tools.cli import main
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint

TRAIN = ["--total-steps", "60", "--agents", "2", "--eval-episodes", "0", "--images", "0", "--no-progress"]
HARD = ["--neuron.escape-noise", "0", "--neuron.t-ref", "0", "--simulation.ticks", "4"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    assert main([*TRAIN, *HARD, "--run-dir", str(folder)]) == 0
    return folder


def test_a_program_of_a_run_acts_and_says_whose_it_is(run, tmp_path, capsys):
    out = tmp_path / "new" / "agent.pt2"
    assert main(["export", str(run), "--out", str(out), "--agent", "1", "--greedy", "--numbers", "3"]) == 0
    assert f"{out}: agent 1 of {run}" in capsys.readouterr().out
    text = {"rstdp_agents": ""}
    action, _, _ = torch.export.load(out, extra_files=text).module()(torch.zeros(5, 4))
    assert len(action.unique()) == 1
    about = json.loads(text["rstdp_agents"])
    assert (about["env"], about["rule"], about["seed"], about["env_steps"]) == ("CartPole-v1", "rstdp-et", 1, 60)


def test_a_graph_of_a_run_holds_the_weights_of_its_agent(run, tmp_path):
    nir = pytest.importorskip("nir", reason="needs the extra `nir`")
    assert main(["export", str(run), "--out", str(tmp_path / "a"), "--format", "nir", "--agent", "1"]) == 0
    graph = nir.read(tmp_path / "a")
    weight = load_checkpoint(latest_checkpoint(run))[0]["output.weight"][1]
    assert torch.equal(torch.from_numpy(graph.nodes["output_synapse"].weight), weight)
    assert json.loads(graph.metadata["rstdp_agents"])["agent"]["neuron"]["tau_m"] == 10.0


def test_what_cannot_be_written_is_refused_in_one_line_and_nothing_is_there(run, tmp_path, capsys):
    for arguments, message in [
        (["--out", str(tmp_path / "a.bin")], "`--format` must be one of pt2, onnx, nir"),
        (["--out", str(tmp_path / "a.pt2"), "--agent", "2"], "`--agent` must be 0 to 1; received 2"),
    ]:
        assert main(["export", str(run), *arguments]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
