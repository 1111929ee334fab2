"""The benchmark of rates: what it says about layers that hold their rates and layers that do not."""

import json

import pytest

from benchmarks import rates
from benchmarks.kept import measured

CUE = "rstdp/Cue-v0"


def found(with_it, without, returns=(1.0, 1.0), regime="fast"):
    courses = {form: {"rates": [[[0.0, 0.0]]] * 10 + [[each]] * 10, "returns": list(returns)} for form, each in
               (("homeostasis", with_it), ("without", without))}  # fmt: skip
    return {"task": CUE, "regime": regime, "seeds": [3, 4], "steps": 400, "targets": [100.0], **courses}


def test_a_rate_counts_as_held_within_a_tenth_of_the_target_in_the_last_half():
    line = rates.row(found([109.0, 111.0], [40.0, 60.0], (0.5, None)))
    assert line[:6] == [CUE, "fast", "100", "110.0 (109.0 to 111.0)", "50%", "50.0 (40.0 to 60.0)"]
    assert line[6:] == ["0.50 [0.50, 0.50]"] * 2


def test_a_training_has_twenty_parts_whatever_its_length():
    measured = rates.measure(CUE, "fast", (0,), 47)
    assert all(len(measured[form]["rates"]) == rates.BINS for form in rates.FORMS)


def test_layers_are_held_with_homeostasis_and_not_without():
    measured = rates.measure(CUE, "fast", (0, 1), 6000)
    assert measured["targets"] == [250.0]
    line = rates.row(measured)
    assert line[4] == "100%"
    assert not 225.0 < float(line[5].split()[0]) < 275.0


def test_what_a_file_holds_is_not_measured_again_unless_something_else_is_asked_for(tmp_path):
    file, asked = tmp_path / "cue_fast.json", []

    def measure(*what):
        asked.append(what)
        return {**found([100.0] * 2, [50.0] * 2), "steps": what[-1]}

    first, again = (measured(measure, file, CUE, "fast", (3, 4), 400) for _ in range(2))
    assert first == again
    assert len(asked) == 1
    assert measured(measure, file, CUE, "fast", (3, 4), 800)["steps"] == json.loads(file.read_text())["steps"] == 800


def test_the_page_has_every_file_in_the_order_of_the_tasks(tmp_path):
    for regime in ("fast", "cortical"):
        (tmp_path / f"a_{regime}.json").write_text(json.dumps(found([100.0] * 2, [50.0] * 2, regime=regime)))
    page = rates.page(tmp_path, "the command")
    assert page.index("| fast |") < page.index("| cortical |")
    assert "(3 to 4)" in page
    assert "    the command\n" in page


def test_what_cannot_be_run_is_said_in_a_line(capsys):
    for argv in (["--task", "Nowhere-v0"], ["--steps", "-1"], ["--steps", "19"], ["--seeds", "5"]):
        with pytest.raises(SystemExit):
            rates.main(argv)
        assert capsys.readouterr().err.startswith("error: `")
