from rstdp_agents.runs.reading import load_agent


def test_says_what_a_checkpoint_holds(other, command):
    code, out, _ = command("inspect", other)
    assert code == 0
    assert "reward-switch on CartPole-v1, env step 600 of each agent" in out
    assert "plasticity.lr" in out
    assert "0.123" in out
    assert "plasticity.tau_e" not in out  # as in the preset
    weight = load_agent(other).agent.layer.weight[0]
    assert f"{weight.shape[1]} -> {weight.shape[0]}" in out
    assert f"{weight.numel():,}" in out
    full = command("inspect", other, "--settings")[1]
    assert "plasticity.tau_e" in full
    file = next((other / "checkpoints").iterdir())
    assert command("inspect", file)[1] == out


def test_nets_of_several_layers_are_shown_layer_by_layer(tmp_path, command):
    line = [
        "--network.hidden",
        "6",
        "--modulator",
        "td-spiking",
        "--modulation.critic-neurons",
        "4",
        "--run-dir",
        tmp_path,
    ]
    short = ["--total-steps", "30", "--eval-episodes", "0", "--images", "0", "--no-progress", "--encoder.cells"]
    assert command(*line, *short, "2", "2", "2", "2")[0] == 0
    code, out, _ = command("inspect", tmp_path)
    rows = [" ".join(row.split()) for row in out.splitlines()]
    assert code == 0
    sizes = [row for row in rows if " -> " in row][1:]
    assert sizes == ["hidden1 16 -> 6 96", "output 6 -> 16 96", "critic 16 -> 4 64"]
    assert [row.partition(":")[0] for row in rows if "weight, mean" in row] == ["hidden1", "output", "critic"]


def test_a_folder_without_a_run_is_one_line(tmp_path, command):
    code, out, err = command("inspect", tmp_path)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert str(tmp_path) in err
