from pathlib import Path

import fsspec
import pytest
import torch

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import override
from rstdp_agents.training.distributed.shards import split, train_shard
from rstdp_agents.training.distributed.storage import Storage
from rstdp_agents.training.loop import Training
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint
from tests.training.test_training import config

ONE, TWO = (f"checkpoints/step_{step:010d}.safetensors" for step in (1, 2))
GRID = {"agent.encoder.code": "place-cells", "agent.encoder.cells": (2, 2, 2, 2)}
SMALL = {**GRID, "total_steps": 60, "images": 0, "eval_episodes": 1, "backend": "torch"}


def small(**changes):
    return config(**{**SMALL, **changes})


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def written(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize("kind", ["path", "file", "memory"])
def test_a_stored_folder_is_what_was_uploaded_last(tmp_path, kind):
    here, there = tmp_path / "here", tmp_path / "stored"
    storage = Storage({"path": str(there), "file": there.as_uri(), "memory": f"memory://{tmp_path.name}/run"}[kind])
    files = {"monitor.csv": "1", ONE: "one", TWO: "two", "best/best.safetensors": "one"}
    written(here, files | {".lock": ""})
    storage.download(tmp_path / "nothing")
    storage.upload(here)
    storage.download(tmp_path / "first")
    written(here, {"monitor.csv": "1 2", "best/best.safetensors": "two"})  # of the same length
    (here / ONE).unlink()
    storage.upload(here)
    storage.download(tmp_path / "then")
    assert not (tmp_path / "nothing").exists()
    assert contents(tmp_path / "first") == files
    assert contents(tmp_path / "then") == {"monitor.csv": "1 2", TWO: "two", "best/best.safetensors": "two"}


def test_a_checkpoint_comes_after_what_it_speaks_of_and_is_never_half_there(tmp_path, monkeypatch):
    storage = Storage((tmp_path / "stored").as_uri())
    written(tmp_path / "here", dict.fromkeys(["best/best.safetensors", ONE, "README.md", "config.json"], ""))
    came, put = [], storage.fs.put_file

    def watched(source, target, **options):
        put(source, target, **options)
        came.append((target.rpartition("/stored/")[2], storage._names()))

    monkeypatch.setattr(storage.fs, "put_file", watched)
    storage.upload(tmp_path / "here")
    order = ["config.json", "README.md", ONE, "best/best.safetensors"]
    assert [name for name, _ in came] == [f"{name}.partial" for name in order]
    assert [there for _, there in came] == [set(order[:i]) for i in range(4)]


def test_a_uri_that_cannot_be_used_is_refused_in_words():
    with pytest.raises(UsageError, match=r"`--storage nowhere://run` cannot be used here: Protocol not known: nowhere"):
        Storage("nowhere://run")


def test_what_is_not_of_a_run_is_neither_fetched_nor_deleted(tmp_path):
    others = {
        "thesis.tex": "x",
        "sub/photo.jpg": "x",
        "checkpoints/notes.txt": "x",
        "monitor.csv.bak": "x",
        "best/a": "x",
    }
    written(tmp_path / "0", others)
    train_shard(split(small(agents=2), 2)[0], str(tmp_path / "0"), lambda *_: None)
    stored = [path.relative_to(tmp_path / "0").as_posix() for path in (tmp_path / "0").rglob("*") if path.is_file()]
    assert {name: (tmp_path / "0" / name).read_text() for name in others} == others
    assert set(stored) > {*others, "config.json", "monitor.csv", f"checkpoints/step_{60:010d}.safetensors"}
    assert ".lock" not in stored
    Storage(str(tmp_path / "0")).download(tmp_path / "copy")
    assert not [name for name in others if (tmp_path / "copy" / name).exists()]


@pytest.mark.parametrize("name", ["README.md", "config.json", "monitor.csv"])
def test_a_place_in_which_files_would_be_written_over_is_refused(tmp_path, name):
    written(tmp_path / "0", {name: "{}x" if name == "config.json" else "mine"})
    with pytest.raises(UsageError, match=rf"`--storage .*/0` holds something else than a run \({name}\): give another"):
        train_shard(split(small(), 1)[0], str(tmp_path / "0"), lambda *_: None)
    assert [path.name for path in (tmp_path / "0").iterdir()] == [name]


OUTSIDE = [
    "../../../../escaped",
    "checkpoints/../../escaped",
    "/abs/escaped",
    "..\\escaped",
    "checkpoints\\..\\..\\escaped",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_an_object_of_a_name_that_leads_out_of_the_folder_is_not_fetched(tmp_path, name):
    memory, root = fsspec.filesystem("memory"), f"/{tmp_path.name}/run"
    memory.pipe(f"{root}/config.json", b"{}")
    memory.store[f"{root}/{name}"] = memory.store[f"{root}/config.json"]
    Storage(f"memory:/{root}").download(tmp_path / "a" / "b" / "here")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["config.json"]
    assert not Path("/abs/escaped").exists()


def test_a_link_in_the_folder_is_not_followed_out_of_it(tmp_path):
    written(tmp_path / "stored", {ONE: "theirs"})
    written(tmp_path / "mine", {Path(ONE).name: "mine"})
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "checkpoints").symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="leads out of"):
        Storage(str(tmp_path / "stored")).download(tmp_path / "here")
    assert (tmp_path / "mine" / Path(ONE).name).read_text() == "mine"


def test_a_link_in_the_storage_is_not_written_through(tmp_path):
    written(tmp_path, {"precious": "mine", "here/monitor.csv": "rows"})
    (tmp_path / "stored").mkdir()
    (tmp_path / "stored" / "monitor.csv.partial").symlink_to(tmp_path / "precious")
    (tmp_path / "stored" / "monitor.csv").symlink_to(tmp_path / "precious")
    Storage(str(tmp_path / "stored")).upload(tmp_path / "here")
    assert (tmp_path / "precious").read_text() == "mine"
    assert (tmp_path / "stored" / "monitor.csv").read_text() == "rows"


def test_a_part_goes_on_from_what_is_stored_only_where_it_was_trained_with_the_same_settings(tmp_path):
    part, uri = split(small(agents=2), 2)[1], str(tmp_path / "1")
    first = train_shard(part, uri, lambda *_: None)
    assert train_shard(part, uri, lambda *_: None)["agents"] == first["agents"]
    others = {
        "seed": (100, r"--seed 1 \(received 100\)"),
        "agents": (2, r"--agents 1 \(received 2\)"),
        "env_kwargs": (("sutton_barto_reward:True",), r"--env-kwargs none \(received sutton_barto_reward:True\)"),
        "agent.rule": ("rstdp", r"--rule rstdp-et \(received rstdp\)"),
        "agent.plasticity.lr": (0.01, r"--plasticity.lr 0.5 \(received 0.01\)"),
        "total_steps": (40, r"--total-steps 60 \(received 40\)"),
    }
    before = contents_of_checkpoints(tmp_path / "1")
    for name, (value, said) in others.items():
        with pytest.raises(
            UsageError, match=rf"`--storage {uri}` holds agents that were trained with {said}: give another"
        ):
            train_shard(override(part, {name: value}), uri, lambda *_: None)
    assert contents_of_checkpoints(tmp_path / "1") == before
    longer = override(part, {"total_steps": 90, "log_every": 30, "eval_episodes": 2})
    assert train_shard(longer, uri, lambda *_: None)["agents"][0]["steps"] == 90
    with Training(longer, tmp_path / "alone") as alone:
        alone.run()
    tensors = [load_checkpoint(latest_checkpoint(tmp_path / name))[0]["output.weight"] for name in ("1", "alone")]
    assert torch.equal(*tensors)


def contents_of_checkpoints(folder):
    return {path.name: path.read_bytes() for path in (folder / "checkpoints").iterdir()}
