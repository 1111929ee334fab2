"""The benchmark of firsts: what it keeps, what it does not play again, and its pages."""

import json

import pytest

from benchmarks import firsts
from benchmarks.trials import PLAYERS

CUE = firsts.First("MinAtar", "rstdp/Cue-v0", 300, 0.9, {"they": 0.5})


@pytest.fixture
def few(tmp_path, monkeypatch):
    """Runs the benchmark with two tasks of few steps; in files of two seeds."""
    monkeypatch.setattr(firsts, "TASKS", {"Cue": CUE, "other": CUE._replace(bar=None, anchors={})})
    monkeypatch.setattr(firsts, "AT_ONCE", 2)
    monkeypatch.setattr(firsts, "POINTS", 4)

    def call(*line):
        firsts.main(["--seeds", "0-2", "--out", str(tmp_path / "out"), "--docs", str(tmp_path), *line])

    return call


def test_curves_are_means_of_the_episodes_that_ended_in_a_part_of_the_steps(monkeypatch):
    monkeypatch.setattr(firsts, "POINTS", 4)
    found = firsts.summary([(1.0, 3), (2.0, 10), (4.0, 25), (5.0, 26), (7.0, 40)], 40)
    assert found["curve"] == [1.5, None, 4.5, 7.0]
    assert (found["episodes"], found["final_mean"]) == (5, pytest.approx(3.8))


def test_the_page_has_every_seed_and_what_a_file_holds_is_not_played_again(tmp_path, few):
    few("--task", "Cue")
    assert not (tmp_path / "minatar.md").exists()
    file = tmp_path / "out" / "Cue_agent_300_2-2.json"
    (record,) = json.loads(file.read_text())
    assert record["seed"] == 2
    file.write_text(json.dumps([{**record, "final_mean": 12345.0}]))
    few("--group", "MinAtar")
    page = (tmp_path / "minatar.md").read_text()
    names = {path.name for path in (tmp_path / "out").glob("*.json")}
    assert names == {
        f"{n}_{p}_300_{s}.json" for n in ("Cue", "other") for p in ("agent", *firsts.STILL) for s in ("0-1", "2-2")
    }
    assert "| 12345 |" in page
    assert "1/3 of 0.9" in page  # that seed alone, after 300 steps
    assert "| they |" in page
    for name in ("Cue", "other"):
        assert f"| {name} | 300 | " in page
        assert (tmp_path / "out" / f"{name}.png").stat().st_size > 5000


def test_the_page_has_who_has_played_and_no_task_without_controls(tmp_path, few):
    few("--task", "Cue")
    few("--group", "MinAtar", "--no-play")
    page = (tmp_path / "minatar.md").read_text()
    assert "| Cue |" in page
    assert "| other |" not in page


def test_a_changed_setting_is_printed_and_nothing_is_written(tmp_path, few, capsys):
    few("--task", "Cue", "--set", "plasticity.lr=0.5")
    assert capsys.readouterr().out.startswith("Cue ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "line", [["--task", "Pong"], ["--set", "plasticity.lr=0.5"], [], ["--group", "MinAtar", "--players", "me"]]
)
def test_what_is_not_possible_is_refused_in_a_line(line, few, capsys):
    with pytest.raises(SystemExit):
        few(*line)
    assert "`" in capsys.readouterr().err


def test_tasks_have_players_and_groups_that_there_are():
    assert {task.group for task in firsts.TASKS.values()} == set(firsts.GROUPS)
    for group in firsts.GROUPS.values():
        assert set(group.others) <= set(PLAYERS)
        assert set(firsts.STILL) <= set(group.others)
