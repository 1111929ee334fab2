import pickle

import pytest
import torch

from rstdp_agents.agent.tensors import restore
from rstdp_agents.base.errors import CheckpointError
from rstdp_agents.training.runs import checkpoint
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1, 2], dtype=torch.uint8)}


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "checkpoints" / "step_1.safetensors"
    save_checkpoint(path, TENSORS, {"step": 1, "records": [None]})
    tensors, data = load_checkpoint(path)
    assert data == {"step": 1, "records": [None]}
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)
    assert [p.name for p in path.parent.iterdir()] == ["step_1.safetensors"]
    assert latest_checkpoint(tmp_path) == path


def damaged(tmp_path):
    path = tmp_path / "good.safetensors"
    save_checkpoint(path, TENSORS, {"step": 1})
    return path.read_bytes()


@pytest.mark.parametrize("keep", [0, 4, 40, -1])
def test_truncated_file_is_refused_in_one_line_and_left_alone(tmp_path, keep):
    content = damaged(tmp_path)[:keep]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged or not a checkpoint") as error:
        load_checkpoint(path)
    assert "\n" not in str(error.value)
    assert path.read_bytes() == content


def test_pickle_in_its_place_is_not_run(tmp_path):
    class Malicious:
        def __reduce__(self):
            return (open, (str(tmp_path / "owned"), "w"))

    path = tmp_path / "bad.safetensors"
    path.write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(CheckpointError, match="damaged"):
        load_checkpoint(path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("written", [5, 6, None, "7", [7]])
def test_another_format_is_refused_by_its_number(written, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "FORMAT", written)
    save_checkpoint(path := tmp_path / "old.safetensors", TENSORS, {"step": 1})
    monkeypatch.undo()
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(path)
    assert str(error.value) == f"{path} has format {written}, which this version cannot read; expected format 8"


def test_missing_file_and_empty_folder_say_so(tmp_path):
    with pytest.raises(CheckpointError, match="cannot read the checkpoint"):
        load_checkpoint(tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError, match="no checkpoint to resume from"):
        latest_checkpoint(tmp_path)


def test_other_shape_is_refused_before_anything_is_written(tmp_path):
    target = {"a": torch.zeros(2, 3), "b": torch.zeros(3, dtype=torch.uint8)}
    with pytest.raises(CheckpointError, match=r"b has the shape \(2,\), expected \(3,\)"):
        restore(target, TENSORS, tmp_path)
    assert torch.count_nonzero(target["a"]) == 0
    with pytest.raises(CheckpointError, match=r"c has the shape None, expected \(1,\)"):
        restore({**TENSORS, "c": torch.zeros(1)}, TENSORS, tmp_path)
