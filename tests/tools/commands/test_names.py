"""Names with signs in them, in everything that is written of a run."""

import csv
import html
import json

import markdown as python_markdown
import pytest
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rstdp_agents.base import escape
from rstdp_agents.base.settings import override
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports import plots
from rstdp_agents.training.reports.tables import columns, table
from rstdp_agents.training.runs.folder import write_card
from rstdp_agents.training.runs.reading import read_runs
from tests.helpers import Corridor

WILD = [
    "a|b",
    "<script>x</script>",
    "`c`",
    "__d__",
    "*e*",
    "[f](g)",
    "a\nb",
    "$x$ $y$",
    "\\|",
    "&lt;",
    "~~h~~",
    "\x1b[2Jx",
    "# i",
]


def shown(text):
    """The page that TensorBoard's reader of Markdown makes of a text."""
    return python_markdown.markdown(text, extensions=["tables"])


@pytest.mark.parametrize("name", WILD)
def test_markdown_shows_a_name_as_it_is_in_one_cell(name):
    page = shown(table(["name", "2"], [[escape.markdown(name), "end"]]))
    cells = page.split("<tbody>")[1].split("<td>")[1:]
    assert len(cells) == 2
    assert html.unescape(cells[0].split("</td>")[0]) == escape.one_line(name)
    assert cells[0].count("<") == cells[0].count("</t")  # no tag but those of the table
    assert cells[1].startswith("end</td>")


def test_ordinary_names_stay_as_they_are():
    for name in ("CartPole-v1", "rstdp/Cue-v0", "my_task:Echo", "plasticity.tau_e", "0.5"):
        assert escape.markdown(name) == escape.figure(name) == name


def test_what_is_not_to_be_seen_is_written_out():
    assert escape.one_line("a\nb\r\t\x1b[2J\u202e\udcff é 猫") == r"a\nb\r\t\x1b[2J\u202e\udcff é 猫"
    assert columns(["a", "b"], [["x\ny", "z"]]).splitlines() == ["a     b", "----  -", r"x\ny  z"]


@pytest.mark.parametrize("name", ["a$b", "$a$", r"$\frac$", "_old", r"a\$b$", "50 % $"])
def test_a_figure_shows_a_name_as_it_is(name):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1], label=escape.figure(name))
    axes.legend()
    text = axes.get_legend().get_texts()[0]
    figure.draw_without_rendering()
    words, is_math = text._preprocess_math(text.get_text())
    assert (words.strip(), is_math) == (name, False)


@pytest.mark.parametrize("name", [*WILD, 'say "x"', "key: [1, 2]", "猫"])
def test_the_card_of_a_run_names_its_environment_in_yaml_and_markdown(name, tmp_path):
    config = override(preset("CartPole-v1", "rstdp-et"), {"env": name})
    entry = {"seed": 0, "episodes": 23, "final_mean": 397.13, "eval_greedy": None, "eval_stochastic": None}
    long = {**entry, "seed": 1, "episodes": 100}
    write_card(tmp_path, config, {"agents": [entry, long]})
    lines = (tmp_path / "README.md").read_text(encoding="utf-8").split("\n")
    tags = next(line for line in lines if line.startswith("tags: ["))
    assert json.loads(
        tags.removeprefix("tags: [reinforcement-learning, spiking-neural-network, ")[:-1]
    ) == escape.one_line(name)
    assert lines[4] == f"# rstdp-et on {escape.markdown(name)}"
    assert "| 0 | 23 | 397.13 (of 23) | - | - |" in lines
    assert "| 1 | 100 | 397.13 | - | - |" in lines


def test_a_run_and_its_report_escape_the_names_of_environment_and_folder(tmp_path, command):
    wild, folder = "a|<b>$c$`_d_", tmp_path / "<i>|$1"
    short = {"env": wild, "total_steps": 200, "eval_episodes": 1, "images": 0, "progress": False, "backend": "torch"}
    with Training(override(preset("Corridor-v0", "rstdp-et"), short), folder, env=Corridor) as run:
        run.run()
        run.finish()
    events = EventAccumulator(str(folder))
    events.Reload()
    page = shown(events.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode())
    row = next(line for line in page.split("<tr>") if "<td>env</td>" in line)
    assert html.unescape(row.split("<td>")[2].split("</td>")[0]) == wild
    assert "<b>" not in row
    with open(folder / "monitor.csv", newline="") as file:
        assert json.loads(file.readline()[1:])["env_id"] == wild
        assert {len(row) for row in csv.reader(file)} == {4}
    out = tmp_path / "report"
    assert command("report", folder, "--by", "folder", "--out", out)[0] == 0
    page = (out / "README.md").read_text()
    assert f"\n## {escape.markdown(wild)}\n" in page
    assert f"\n| {escape.markdown('<i>|$1')} | 1 | " in page
    for raw in ("<b>", "<i>", wild, "$"):
        assert raw not in page
    figure = plots.learning_curves(read_runs([folder], "folder"), "episodes", 10)
    assert figure.axes[0].get_title() == r"a|<b>\$c\$`_d_"
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == r"<i>|\$1 (1)"
    ticks = plots.intervals({"$t": {"$n": (1.0, 0.0, 2.0)}}, "x").axes[0].get_yticklabels()
    assert ticks[0].get_text() == r"\$n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("r",), "must not be one of the columns r, l, t, agent; received 'r'"),
        (("speed", "l"), "received 'l'"),
        (("t",), "received 't'"),
        (("agent",), "received 'agent'"),
        (("a", "b", "a"), "must all differ; received 'a' twice"),
        (("a,b",), "words without commas, quotes and line ends; received 'a,b'"),
        (('a"b',), "received 'a\"b'"),
        (("a\nb",), r"received 'a\nb'"),
        (("",), "received ''"),
        ((" ",), "received ' '"),
        ((" a",), "received ' a'"),
        (("a\x1b",), r"received 'a\x1b'"),
    ],
)
def test_keywords_that_would_spoil_the_table_are_refused(words, said):
    with pytest.raises(ValueError, match=r"^`info_keywords` must ") as raised:
        override(preset("CartPole-v1", "rstdp-et"), {"info_keywords": words})
    assert str(raised.value).endswith(said)
    assert "\n" not in str(raised.value)


def test_they_are_refused_before_anything_is_written(command, tmp_path):
    code, out, err = command("--info-keywords", "a,b", "--run-dir", tmp_path / "run")
    assert (code, out) == (2, "")
    assert "`info_keywords` must be words without commas, quotes and line ends; received 'a,b'" in " ".join(err.split())
    assert not (tmp_path / "run").exists()


def test_keywords_with_other_signs_are_columns(tmp_path):
    words = ("it's", "a b", "x/y", "é", "return", "<b>|$")
    assert override(preset("CartPole-v1", "rstdp-et"), {"info_keywords": words}).info_keywords == words
