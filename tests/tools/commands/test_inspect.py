import re

import numpy as np
import pytest

from rstdp_agents.training.run import load_run
from rstdp_agents.training.runs.trust import Trust


def test_says_what_a_checkpoint_holds(other, command):
    code, out, _ = command("inspect", other)
    assert code == 0
    assert "reward-switch on CartPole-v1, env step 600 of each agent" in out
    assert "plasticity.lr" in out
    assert "0.123" in out
    assert "plasticity.tau_e" not in out  # as in the preset
    weight = load_run(other).agent.layer.weight[0]
    assert f"{weight.shape[1]} -> {weight.shape[0]}" in out
    assert f"{weight.numel():,}" in out
    full = command("inspect", other, "--settings")[1]
    assert "plasticity.tau_e" in full
    file = next((other / "checkpoints").iterdir())
    assert command("inspect", file)[1] == out


def test_a_folder_without_a_run_is_one_line(tmp_path, command):
    code, out, err = command("inspect", tmp_path)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert str(tmp_path) in err


def table_of(out, head):
    """Rows of the table whose first column has this head, cells apart."""
    lines = out[out.index(head) :].split("\n\n")[0].rstrip().splitlines()
    return [re.split(r" {2,}", line.strip()) for line in lines[2:]]


@pytest.fixture
def trained(command, tmp_path):
    """Trains as a line says; returns the agents and what inspect says of them."""

    def call(*line):
        short = [
            "--eval-episodes",
            0,
            "--images",
            0,
            "--no-progress",
            "--backend",
            "torch",
            "--run-dir",
            tmp_path / "run",
        ]
        assert command(*line, *short)[0] == 0
        return load_run(tmp_path / "run", trust=Trust(True)).agent, command("inspect", tmp_path / "run")[1]

    return call


def test_shows_hidden_layers_and_the_synapses_of_a_spiking_critic(trained):
    few = ["--encoder", "place-cells", "--encoder.cells", 2, 2, 2, 3]
    line = [*few, "--network.hidden", 8, 6, "--modulator", "td-spiking", "--agents", 2, "--total-steps", 60]
    agent, out = trained(*line)
    inputs = agent.encoder.size
    assert table_of(out, "layer  ") == [
        ["hidden1", f"{inputs} -> 8", "Linear", f"{inputs * 8:,}"],
        ["hidden2", "8 -> 6", "Linear", "48"],
        ["output", "6 -> 16", "Linear", "96"],
        ["critic", f"{inputs} -> 128", "Linear", f"{inputs * 128:,}"],
    ]
    said = {name: values for name, *values in table_of(out, "over agents")}
    for name, weight in [(each.name, each.weight) for each in agent.network.layers] + [
        ("critic", agent.modulator.weight)
    ]:
        means = weight.double().flatten(1).mean(1)
        assert said[f"{name}: weight, mean"] == [f"{v:.4g}" for v in (means.mean(), means.min(), means.max())]
    names = ["weight, mean", "weight, size (rms)", "weights at a bound (%)"]
    own = [*names, "running rate (Hz)", "neurons below 1 Hz (%)", "eligibility (rms)"]
    layers = [f"{layer}: {name}" for layer in ("hidden1", "hidden2", "output") for name in own]
    assert list(said) == [*layers, *(f"critic: {name}" for name in [*names[:2], "trace (rms)"])]
    trace = agent.modulator.trace.double().square().flatten(1).mean(1).sqrt()
    assert said["critic: trace (rms)"] == [f"{v:.4g}" for v in (trace.mean(), trace.min(), trace.max())]


def test_shows_convolutions_and_a_linear_critic(trained):
    line = [
        "--env",
        "tests.environments.zoo:Sampled",
        "--env-kwargs",
        "name:picture",
        "--network.conv",
        2,
        3,
        1,
        "--network.hidden",
        5,
    ]
    agent, out = trained(*line, "--total-steps", 20)
    (channels, *_), *_ = (layer.synapse.pre_shape for layer in agent.network.layers)
    shapes = table_of(out, "layer  ")
    assert shapes[0][:3] == ["hidden1", f"{channels} -> 2 channels, kernel 3 x 3", "convolution"]
    assert [row[0] for row in shapes] == ["hidden1", "hidden2", "output", "critic"]
    assert shapes[3][1:] == [f"{agent.encoder.size} -> 1", "sum", f"{agent.encoder.size:,}"]


def test_shows_no_critic_where_there_is_none(trained):
    _, out = trained("--modulator", "reward-baseline", "--total-steps", 20)
    assert [row[0] for row in table_of(out, "layer  ")] == ["output"]
    assert "critic:" not in out


def test_a_mean_of_few_episodes_says_of_how_many(other, command):
    records = load_run(other).records
    assert [row[2] for row in table_of(command("inspect", other)[1], "seed  ")] == [
        f"{np.mean(r['recent']):.2f} (of {r['episodes']})" for r in records
    ]
