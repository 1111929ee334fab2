import json
import logging
import os
import zlib

import pytest

from rstdp_agents.base.growing import Extent, Growing, cut_back, extent_of, put_aside
from rstdp_agents.tools.cli import main

LINE = ["--backend", "torch", "--images", "0", "--eval-episodes", "0"]
LINE += ["--encoder", "place-cells", "--encoder.cells", "2", "2", "2", "2"]
LINE += ["--no-progress", "--log-every", "60", "--max-episode-steps", "9"]


def test_a_growing_file_knows_how_far_it_is_also_after_it_was_cut_back(tmp_path):
    path = tmp_path / "file"
    first = Growing(path)
    first.write(b"one")
    assert first.sync() == Extent(3, zlib.crc32(b"one"))
    first.write(b"twice as long")
    first.close()
    assert cut_back(path, Extent(3, zlib.crc32(b"one")))
    again = Growing(path, Extent(3, zlib.crc32(b"one")))
    again.write(b"two")
    assert again.sync() == Extent(6, zlib.crc32(b"onetwo")) == extent_of(path, 100)
    again.close()
    assert path.read_bytes() == b"onetwo"


@pytest.mark.parametrize("content", [b"", b"on", b"onE", b"xneone", None])
def test_what_does_not_begin_as_it_did_is_left_alone(tmp_path, content, caplog):
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    assert not cut_back(path, Extent(3, zlib.crc32(b"one")))
    assert (path.read_bytes() if path.exists() else None) == content
    put_aside(path, "it is missed")
    kept = [other.read_bytes() for other in tmp_path.glob("file.aside")]
    assert kept == ([] if content is None else [content])
    gone, moved = f"{path} is gone", f"{path} is not what this run left there, and was put aside as file.aside"
    assert caplog.messages == [f"{gone if content is None else moved}: it is missed"]


def test_nothing_is_written_over_or_through_where_something_is_put_aside(tmp_path):
    for name in ("file", "file.aside", "mine"):
        (tmp_path / name).write_text(name)
    put_aside(tmp_path / "file", "")
    (tmp_path / "file").symlink_to("mine")
    assert not cut_back(tmp_path / "file", Extent(2, zlib.crc32(b"mi")))
    put_aside(tmp_path / "file", "")
    (tmp_path / "file").mkdir()
    put_aside(tmp_path / "file", "")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / "file.aside").read_text() == "file.aside"
    assert (tmp_path / "file.aside1").read_text() == "file"
    assert os.readlink(tmp_path / "file.aside2") == "mine"
    assert (tmp_path / "file.aside3").is_dir()


def episodes(folder):
    return [row.split(",")[:2] for row in (folder / "monitor.csv").read_text().splitlines()[2:]]


def test_a_finished_run_that_is_gone_on_with_again_and_again_has_every_episode_once(tmp_path):
    assert main([*LINE, "--total-steps", "100", "--run-dir", str(tmp_path)]) == 0
    before = episodes(tmp_path)
    for _ in range(3):
        assert main(["--resume", str(tmp_path), "--no-progress"]) == 0
        assert episodes(tmp_path) == before
    assert len(before) == json.loads((tmp_path / "summary.json").read_text())["agents"][0]["episodes"] == 11


def test_results_of_a_run_that_goes_on_are_gone_until_it_ends_again(tmp_path):
    assert main([*LINE, "--total-steps", "100", "--run-dir", str(tmp_path)]) == 0
    assert main(["--resume", str(tmp_path), "--no-progress", "--total-steps", "200", "--env-kwargs", "no:1"]) == 2
    assert (tmp_path / "summary.json").exists()  # nothing was begun
    from rstdp_agents.training.loop import Training
    from tests.training.runs.test_resume import config

    with Training(config(total_steps=40, eval_every=0, backend="torch"), tmp_path / "run") as run:
        run.run()
        run.finish()
    last = sorted((tmp_path / "run" / "checkpoints").iterdir())[-1]
    for steps, there in ((40, True), (80, False)):
        with Training(config(total_steps=steps, eval_every=0, backend="torch"), tmp_path / "run", last):
            assert [(tmp_path / "run" / name).exists() for name in ("summary.json", "README.md")] == [there, there]


def test_episodes_that_were_lost_are_told_of_wherever_they_are_missed(tmp_path, caplog):
    folder = tmp_path / "run"
    assert main([*LINE, "--total-steps", "100", "--run-dir", str(folder)]) == 0
    (folder / "monitor.csv").unlink()
    assert main(["--resume", str(folder), "--no-progress", "--total-steps", "200"]) == 0
    lost = f"{folder / 'monitor.csv'} is gone: episodes before env step 100 are missing from monitor.csv"
    assert caplog.messages == [lost]
    caplog.clear()
    assert main(["plot", str(folder), "--out", str(tmp_path / "a.png")]) == 0
    assert [(r.levelno, r.message) for r in caplog.records if r.name.startswith("rstdp")] == [
        (logging.WARNING, f"{folder / 'monitor.csv'} has no episodes before env step 100: they were lost")
    ]
