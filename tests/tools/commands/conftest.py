import sys

import pytest

from rstdp_agents.tools import cli

SHORT = ["--total-steps", "600", "--eval-episodes", "3", "--images", "0", "--no-progress", "--backend", "torch"]
SHORT += ["--encoder", "place-cells"]  # the torch backend is slow with many inputs
SHORT += ["--env-kwargs", "max_episode_steps:200"]


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run of two agents on CartPole."""
    folder = tmp_path_factory.mktemp("runs") / "et"
    assert cli.main(["--agents", "2", "--run-dir", str(folder), *SHORT]) == 0
    return folder


@pytest.fixture(scope="session")
def other(tmp_path_factory):
    """A run of two agents by another rule, with another learning rate."""
    folder = tmp_path_factory.mktemp("runs") / "switch"
    line = ["--rule", "reward-switch", "--agents", "2", "--plasticity.lr", "0.123", "--run-dir", str(folder), *SHORT]
    assert cli.main(line) == 0
    return folder


@pytest.fixture
def command(capsys, monkeypatch):
    """Runs a command line in this process: exit code, output and errors."""
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.setenv("COLUMNS", "120")

    def call(*line):
        try:
            code = cli.main([str(word) for word in line])
        except SystemExit as exited:  # tyro refuses the line
            code = exited.code
        return code, *capsys.readouterr()

    return call
