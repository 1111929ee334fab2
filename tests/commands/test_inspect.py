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


def test_a_folder_without_a_run_is_one_line(tmp_path, command):
    code, out, err = command("inspect", tmp_path)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert str(tmp_path) in err
