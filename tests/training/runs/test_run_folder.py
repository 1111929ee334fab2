"""Which folder a run writes to, who may, and which checkpoint belongs to it."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import torch

from rstdp_agents.base import memory
from rstdp_agents.base.errors import UsageError
from rstdp_agents.tools.cli import main
from rstdp_agents.training import api
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.runs.checkpoint import (
    checkpoint_path,
    checkpoints,
    identity,
    latest_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from rstdp_agents.training.runs.folder import hold, identity_of, new_folder, short_name
from tests.helpers import Corridor
from tests.training.runs.test_resume import forks

LINE = [
    "--backend",
    "torch",
    "--encoder",
    "place-cells",
    "--encoder.cells",
    "2",
    "2",
    "2",
    "2",
    "--images",
    "0",
    "--eval-episodes",
    "0",
    "--no-progress",
]


def run(folder, *options, steps=40):
    return main([*LINE, "--total-steps", str(steps), "--checkpoint-every", "20", "--run-dir", str(folder), *options])


def resume(path, *options):
    return main(["--resume", str(path), "--no-progress", "--total-steps", "60", *options])


@pytest.fixture
def folder(tmp_path):
    assert run(tmp_path / "run") == 0
    return tmp_path / "run"


def said(capsys):
    err = capsys.readouterr().err
    assert err.count("\n") == 1, err
    return err


def at_once(count, do):
    """Exit codes of so many processes that do the same at the same time."""
    reads, writes = os.pipe()
    children = []
    for _ in range(count):
        child = os.fork()
        if not child:
            code = 99
            try:
                os.close(writes)
                os.read(reads, 1)  # until all are there
                code = do()
            finally:
                os._exit(code)
        children.append(child)
    os.close(writes)
    return sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)


@forks
def test_of_equal_commands_at_once_one_gets_the_folder(tmp_path):
    for i in range(3):
        assert at_once(4, lambda i=i: run(tmp_path / str(i), steps=20)) == [0, 2, 2, 2]
        assert [path.name for path in checkpoints(tmp_path / str(i))] == ["step_0000000020.safetensors"]
        events = list((tmp_path / str(i)).glob("*tfevents*"))
        assert len(events) == 1


@forks
def test_of_equal_commands_without_a_folder_each_gets_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert at_once(4, lambda: main([*LINE, "--total-steps", "10"])) == [0, 0, 0, 0]
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert len(names) == 4
    assert all(
        re.fullmatch(r"CartPole-v1__rstdp-et__0__\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d(-[234])?", name) for name in names
    )
    assert all(checkpoints(tmp_path / "runs" / name) for name in names)


@forks
def test_of_equal_resumes_at_once_none_does_harm(folder):
    codes = at_once(4, lambda: resume(folder))
    assert codes[0] == 0
    assert set(codes) <= {0, 2}
    lines = (folder / "monitor.csv").read_text().splitlines()[2:]
    lengths = [int(line.split(",")[1]) for line in lines]
    assert sum(lengths) <= 60
    assert latest_checkpoint(folder) == checkpoint_path(folder, 60)


def test_names_of_runs_are_one_folder_whatever_the_environment_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("rstdp_agents.training.runs.folder.time.strftime", lambda _: "now")
    names = [
        "a:B",
        "ALE/Pong-v5",
        "..",
        "../../up",
        "x" * 999,
        "é" * 999,
        "a<locals>.b",
        ".hidden",
        "\ud800",
        "a\\b\n c",
        "-x",
        "水-v0",
    ]
    made = [new_folder(RunConfig(env=name)) for name in names]
    assert [path.parent for path in made] == [Path("runs")] * len(names)
    assert sorted((tmp_path / "runs").iterdir()) == sorted(tmp_path / path for path in made)
    words = [path.name.removesuffix("__rstdp-et__0__now") for path in made]
    assert words[:2] == ["a-B", "ALE-Pong-v5"]
    assert [words[i] for i in (2, 3, 6, 7, 8, 10, 11)] == [
        "env",
        "up",
        "a-locals-.b",
        "hidden",
        "env__rstdp-et__0__now-2",
        "x",
        "水-v0",
    ]
    assert (words[4], words[5], words[9]) == ("x" * 100, "é" * 50, "a-b-c")
    assert new_folder(RunConfig(env="a:B")).name == "a-B__rstdp-et__0__now-2"
    assert short_name("module:" + "Rule" * 99, 60) == ("module-" + "Rule" * 99)[:60]


def test_a_run_from_python_is_called_the_same_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {"total_steps": 10, "eval_episodes": 0, "images": 0, "progress": False, "backend": "torch"}
    first, second = (api.train(Corridor, **settings).folder for _ in range(2))
    assert first != second
    assert first.name.startswith("tests.helpers-Corridor__rstdp-et__0__2")
    with pytest.raises(UsageError, match=rf"{first} already holds a run: give another --run-dir, or continue it with"):
        api.train(Corridor, first, **settings)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"mine already holds README.md, which a run would overwrite: give"):
        api.train(Corridor, tmp_path / "mine", **settings)
    assert (tmp_path / "mine" / "README.md").read_text() == "mine"


def test_wrong_usage_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*LINE, "--env", "CartPol-v1"]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["bare", "relative", "link", "absolute", "folder", "linked checkpoints"])
def test_a_checkpoint_is_gone_on_with_in_its_run_whatever_path_leads_to_it(folder, how, monkeypatch, tmp_path, capsys):
    name = latest_checkpoint(folder).name
    where = {"bare": folder / "checkpoints", "relative": folder}.get(how, tmp_path)
    path = {"bare": name, "relative": f"checkpoints/{name}", "link": "link", "folder": "run"}.get(
        how, folder / "checkpoints" / name
    )
    (tmp_path / "link").symlink_to(latest_checkpoint(folder))
    if how == "linked checkpoints":
        (folder / "checkpoints").rename(tmp_path / "elsewhere")
        (folder / "checkpoints").symlink_to(tmp_path / "elsewhere")
    monkeypatch.chdir(where)
    before = sorted(path.name for path in folder.iterdir())
    assert resume(path) == 0
    assert checkpoint_path(folder, 60).exists()
    assert [path.name for path in folder.iterdir() if path.name not in before and "tfevents" not in path.name] == []
    assert not (folder / "checkpoints" / "config.json").exists()
    assert capsys.readouterr().err == ""


def test_the_best_agents_are_the_beginning_of_a_branch(tmp_path, capsys):
    assert run(tmp_path / "run", "--eval-every", "20", "--eval-episodes", "1") == 0
    best = tmp_path / "run" / "best" / "best.safetensors"
    step = load_checkpoint(best)[1]["step"]
    capsys.readouterr()
    if step < 40:
        assert resume(best) == 2
        assert "is older than step_0000000040.safetensors: give another --run-dir to branch off from it" in said(capsys)
    assert resume(best, "--run-dir", str(tmp_path / "branch")) == 0
    assert checkpoint_path(tmp_path / "branch", 60).exists()


def test_a_checkpoint_that_is_in_no_run_folder_asks_for_one(folder, tmp_path, capsys):
    loose = tmp_path / "loose" / "agent.safetensors"
    loose.parent.mkdir()
    shutil.copy(latest_checkpoint(folder), loose)
    capsys.readouterr()
    assert resume(loose) == 2
    assert said(capsys) == f"error: {loose} is not in a run folder: give --run-dir for the run that starts from it\n"
    assert resume(loose, "--run-dir", str(tmp_path / "new")) == 0
    assert checkpoint_path(tmp_path / "new", 60).exists()
    assert [path.name for path in tmp_path.iterdir()].count("checkpoints") == 0


def test_a_run_is_not_branched_off_into_the_folder_of_another(folder, tmp_path, capsys):
    assert run(tmp_path / "other") == 0
    before = {path: path.read_bytes() for path in (tmp_path / "other").rglob("*") if path.is_file()}
    capsys.readouterr()
    assert resume(latest_checkpoint(folder), "--run-dir", str(tmp_path / "other")) == 2
    assert f"{tmp_path / 'other'} already holds a run: give another --run-dir" in said(capsys)
    assert before == {path: path.read_bytes() for path in (tmp_path / "other").rglob("*") if path.is_file()}


def test_a_branch_that_is_killed_before_its_first_checkpoint_begins_again_where_it_branched_off(
    folder, tmp_path, capsys
):
    source = checkpoint_path(folder, 20)
    assert resume(source, "--run-dir", str(tmp_path / "whole")) == 0
    assert resume(source, "--run-dir", str(tmp_path / "killed")) == 0
    shutil.rmtree(tmp_path / "killed" / "checkpoints")
    capsys.readouterr()
    assert main(["--resume", str(tmp_path / "killed"), "--no-progress"]) == 0
    assert f"starting over {tmp_path / 'killed'} from {source}" in capsys.readouterr().out
    whole, again = (load_checkpoint(latest_checkpoint(tmp_path / name)) for name in ("whole", "killed"))
    assert whole[1]["step"] == again[1]["step"] == 60
    assert torch.equal(whole[0]["output.weight"], again[0]["output.weight"])
    rows = [(tmp_path / name / "monitor.csv").read_text().splitlines()[1:] for name in ("whole", "killed")]
    assert [row.split(",")[:2] for row in rows[0]] == [row.split(",")[:2] for row in rows[1]]


def test_a_checkpoint_of_another_run_in_the_folder_is_refused(folder, tmp_path, capsys):
    assert run(tmp_path / "other", "--seed", "0", steps=60) == 0
    assert (
        identity_of(folder)
        == identity(latest_checkpoint(folder))
        != identity(latest_checkpoint(tmp_path / "other"))
        != ""
    )
    shutil.copy(latest_checkpoint(tmp_path / "other"), folder / "checkpoints")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    capsys.readouterr()
    for path in (folder, checkpoint_path(folder, 60)):
        assert resume(path) == 2
        assert said(capsys) == (
            f"error: {checkpoint_path(folder, 60)} belongs to a different run than {folder}: "
            "give another --run-dir to branch off from it, or remove it\n"
        )
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert resume(checkpoint_path(folder, 60), "--run-dir", str(tmp_path / "branch")) == 0
    checkpoint_path(folder, 60).unlink()
    assert resume(folder) == 0


def test_a_checkpoint_that_was_renamed_is_told_its_name(folder, capsys):
    latest_checkpoint(folder).rename(checkpoint_path(folder, 400))
    capsys.readouterr()
    assert resume(folder) == 2
    assert "step_0000000400.safetensors holds env step 40: name it step_0000000040.safetensors" in said(capsys)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rule", "rstdp"], "--rule rstdp-et (received rstdp)"),
        (["--modulator", "reward"], "--modulator td (received reward)"),
        (["--encoder", "tiles"], "--encoder place-cells (received tiles)"),
        (["--encoder.cells", "3", "3", "3", "3"], "--encoder.cells 2 2 2 2 (received 3 3 3 3)"),
        (["--network.hidden", "8"], "--network.hidden none (received 8)"),
        (["--decoder.neurons-per-action", "4"], "--decoder.neurons-per-action 8 (received 4)"),
        (["--agents", "2", "--seed", "3"], "--seed 0 (received 3), --agents 1 (received 2)"),
        (["--envs-per-agent", "2"], "--envs-per-agent 1 (received 2)"),
        (["--simulation.ticks", "5"], "--simulation.ticks 10 (received 5)"),
    ],
)
def test_settings_that_cannot_be_changed_are_named(folder, capsys, options, words):
    capsys.readouterr()
    assert resume(folder, *options) == 2
    path = latest_checkpoint(folder)
    assert said(capsys) == (
        f"error: {path} was trained with {words}; that cannot be changed on --resume: start a new run without it\n"
    )


def test_settings_of_how_it_learns_may_be_changed(folder):
    assert resume(folder, "--plasticity.lr", "0.1", "--encoder.width", "0.9", "--modulation.gamma", "0.9") == 0
    saved = json.loads((folder / "config.json").read_text())
    assert (saved["agent"]["plasticity"]["lr"], saved["total_steps"]) == (0.1, 60)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("tensor", ["output.weight", "critic.weight", "output.rate"])
def test_numbers_that_are_not_finite_are_refused_by_every_command(folder, tmp_path, capsys, tensor, value):
    tensors, data = load_checkpoint(latest_checkpoint(folder))
    tensors[tensor].view(-1)[0] = value
    save_checkpoint(latest_checkpoint(folder), tensors, data, identity(latest_checkpoint(folder)))
    out = str(tmp_path / "out.pt2")
    capsys.readouterr()
    for line in (["eval"], ["inspect"], ["export", "--out", out], ["--no-progress", "--resume"]):
        assert main([*line, str(folder)]) == 1
        words = said(capsys)
        assert words.startswith(f"error: {latest_checkpoint(folder)} holds numbers of no use: ")
        assert "of agent 0 is no longer finite" in words
    assert not Path(out).exists()


SIZES = {
    "agents": (10**7, "agents"),
    "envs_per_agent": (10**9, "envs"),
    "agent.network.hidden": ([10**9], "GB of memory or more"),
    "agent.encoder.cells": ([10**6] * 4, "GB of memory or more"),
    "agent.simulation.ticks": (10**9, "GB of memory or more"),
    "agent.decoder.neurons_per_action": (10**9, "output neurons; at most"),
    "agent.encoder.tuples": ([[10**12, 2]], "GB of memory or more"),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_that_were_made_up_are_refused_at_once(folder, capsys, name, monkeypatch):
    monkeypatch.setattr(memory, "limit", lambda: 16e9)
    path, (value, words) = latest_checkpoint(folder), SIZES[name]
    tensors, data = load_checkpoint(path)
    *outer, last = name.split(".")
    inner = data["config"]
    for part in outer:
        inner = inner[part]
    inner[last] = value
    save_checkpoint(path, tensors, data, identity(path))
    (folder / "config.json").write_text(json.dumps(data["config"]))
    capsys.readouterr()
    lines = [["eval"], ["--no-progress", "--resume"]] + [["inspect"]] * ("." not in name)
    for line in lines:
        assert main([*line, str(folder)]) in (1, 2)
        assert words in said(capsys)
    shutil.rmtree(folder / "checkpoints")
    assert main(["--no-progress", "--resume", str(folder)]) == 2
    assert re.search("GB of memory or more; this machine has 16|output neurons; at most", said(capsys))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--agents", "10000000"],
            "10000000 environments (`--agents` 10000000, `--envs-per-agent` 1) would take 50 GB",
        ),
        (["--envs-per-agent", "1000000000"], "1000000000 environments (`--agents` 1, `--envs-per-agent` 1000000000)"),
        (["--network.hidden", "1000000000"], "1 agent(s) of 16 -> 1000000000 -> 16 neurons with 1 env(s) each"),
        (["--simulation.ticks", "1000000000"], "neurons with 1 env(s) each and 1000000000 ticks per step would take"),
        (
            ["--encoder.cells", "1000", "1000", "1000", "1000"],
            "`encoder.cells` of 1000 x 1000 x 1000 x 1000 would take",
        ),
        (["--encoder", "tiles", "--encoder.tilings", "10000000000"], "10000000000 `encoder.tilings` would take 80 GB"),
        (
            ["--modulator", "td-spiking", "--modulation.critic-neurons", "1000000000"],
            "1 agent(s) of 16 -> 16 neurons and 1000000000 of the critic with 1 env(s) each",
        ),
    ],
)
def test_a_run_that_would_take_more_than_the_machines_memory_is_told_so(tmp_path, capsys, monkeypatch, options, words):
    monkeypatch.setattr(memory, "limit", lambda: 16e9)
    assert run(tmp_path / "run", *options) == 2
    err = said(capsys)
    assert words in err
    assert err.endswith(" of memory or more; this machine has 16\n")
    assert not (tmp_path / "run").exists()


def test_a_lock_is_of_one_process_and_ends_with_it(tmp_path):
    _, lock = hold(tmp_path, RunConfig())
    with pytest.raises(UsageError, match=f"another run is writing to {tmp_path}"):
        hold(tmp_path, RunConfig())
    lock.release()
    hold(tmp_path, RunConfig())[1].release()
