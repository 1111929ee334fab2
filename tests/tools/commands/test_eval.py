import json

import pytest
import torch

from rstdp_agents.training.run import load_run


def test_repeats_the_closing_evaluation_of_the_run(run, command):
    code, out, _ = command("eval", run, "--episodes", 3)
    assert code == 0
    for kind, a in json.loads((run / "summary.json").read_text())["aggregate"].items():
        assert f"{kind.removeprefix('eval_')}: mean {a['mean']:.1f}, 95 % interval over 2 agents" in out


def test_other_seeds_are_other_episodes_and_one_agent_is_one_line(run, command):
    _, first, _ = command("eval", run, "--episodes", 3, "--policy", "stochastic", "--agent", 1)
    assert first.count("seed 1:") == 1
    assert "seed 0:" not in first
    assert "greedy" not in first
    _, second, _ = command("eval", run, "--episodes", 3, "--policy", "stochastic", "--agent", 1, "--seed", 77)
    assert "seed 77:" in second
    assert first.split("seed 1:")[1] != second.split("seed 77:")[1]


@pytest.mark.slow
def test_shows_the_episodes_in_a_window(run, command, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    pytest.importorskip("pygame")
    code, out, _ = command("eval", run, "--episodes", 1, "--policy", "greedy", "--render", "human")
    assert code == 0
    assert "over 1 episodes" in out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["--agent", 2], "`--agent` must be 0 to 1; received 2"),
        (["--episodes", 0], "`episodes` must be positive; received 0"),
    ],
)
def test_wrong_usage(run, command, line, words):
    code, out, err = command("eval", run, *line)
    assert (code, out) == (2, "")
    assert words in err


def test_an_agent_alone_has_the_weights_of_its_row_and_learns_nothing(run):
    trained = load_run(run)
    agent = trained.single(1)
    for name in ("output.weight", "output.offset", "critic.weight"):
        assert torch.equal(agent.tensors()[name], trained.agent.tensors()[name][1:2])
    assert agent.lr.item() == 0.0
    assert trained.step == 600
