"""The benchmark of hidden layers: what it changes, what it keeps, and its page."""

import json

import pytest

from benchmarks import hidden
from rstdp_agents.base.settings import override
from rstdp_agents.training.presets import preset

SMALL = {"exclusive or": hidden.TASKS["exclusive or"]._replace(episodes=6)}


def test_every_credit_is_a_network_with_hidden_neurons_but_for_one_that_has_none():
    for net in hidden.TASKS.values():
        made = preset(net.env, "rstdp-et").agent
        for credit, changes in hidden.CREDITS.items():
            network = override(made, net.settings | changes).network
            assert bool(network.hidden or network.conv) == (credit != "no hidden layer")
            assert network.credit == (credit if credit in ("feedback", "broadcast", "frozen") else "mirrored")


def test_the_page_has_every_seed_and_what_a_file_holds_is_not_measured_again(tmp_path, monkeypatch):
    monkeypatch.setattr(hidden, "TASKS", SMALL)
    args = ["--seeds", "0-1", "--out", str(tmp_path), "--docs", str(tmp_path / "page.md")]
    hidden.main(args)
    page, file = (tmp_path / "page.md").read_text(), tmp_path / "exclusive-or_0-1.json"
    found = json.loads(file.read_text())
    assert list(found) == list(hidden.CREDITS)
    assert [r["seed"] for r in found["frozen"]] == [0, 1]
    assert all(record["episodes"] >= 6 for records in found.values() for record in records)
    assert "| 0 | -, " in page
    assert "| 1 | -, " in page
    assert (tmp_path / "exclusive-or.png").stat().st_size > 5000
    found["frozen"][0]["final_mean"] = 0.125
    file.write_text(json.dumps(found))
    hidden.main(args)
    assert "-, 0.12" in (tmp_path / "page.md").read_text()


def test_one_task_is_printed_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(hidden, "TASKS", SMALL)
    hidden.main(["--task", "exclusive or", "--seeds", "0-1", "--out", str(tmp_path / "none")])
    assert "exclusive or nothing learns 0/2" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_a_task_that_there_is_not_is_refused_in_a_line(capsys):
    with pytest.raises(SystemExit):
        hidden.main(["--task", "parity"])
    assert "task" in capsys.readouterr().err
