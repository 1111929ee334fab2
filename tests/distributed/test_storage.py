import pytest

from rstdp_agents.distributed.storage import Storage
from rstdp_agents.errors import UsageError


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["path", "file", "memory"])
def test_a_stored_folder_is_what_was_uploaded_last(tmp_path, kind):
    here, there = tmp_path / "here", tmp_path / "stored"
    storage = Storage({"path": str(there), "file": there.as_uri(), "memory": f"memory://{tmp_path.name}/run"}[kind])
    files = {"monitor.csv": "1", "checkpoints/step_1.safetensors": "one", "checkpoints/step_2.safetensors": "two"}
    for name, text in files.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text)
    storage.download(tmp_path / "nothing")
    storage.upload(here)
    storage.download(tmp_path / "first")
    (here / "monitor.csv").write_text("1 2")
    (here / "checkpoints/step_1.safetensors").unlink()
    storage.upload(here)
    storage.download(tmp_path / "then")
    assert not (tmp_path / "nothing").exists()
    assert contents(tmp_path / "first") == files
    assert contents(tmp_path / "then") == {"monitor.csv": "1 2", "checkpoints/step_2.safetensors": "two"}


def test_a_checkpoint_comes_last_and_is_never_half_there(tmp_path, monkeypatch):
    storage = Storage((tmp_path / "stored").as_uri())
    for name in ("a.safetensors", "config.json", "z.csv"):
        (tmp_path / name).write_text(name)
    came, put = [], storage.fs.put_file

    def watched(source, target, **options):
        put(source, target, **options)
        came.append((target.rpartition("/")[2], storage._names()))

    monkeypatch.setattr(storage.fs, "put_file", watched)
    storage.upload(tmp_path)
    assert [name for name, _ in came] == ["config.json.partial", "z.csv.partial", "a.safetensors.partial"]
    assert came[-1][1] == {"config.json", "z.csv"}


def test_a_uri_that_cannot_be_used_is_refused_in_words():
    with pytest.raises(UsageError, match=r"`--storage nowhere://run` cannot be used here: Protocol not known: nowhere"):
        Storage("nowhere://run")
