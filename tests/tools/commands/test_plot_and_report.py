from pathlib import Path

import numpy as np
import pytest

from rstdp_agents.tools.commands import report
from rstdp_agents.training.episodes import of_episodes
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports.plots import curve, learning_curves
from rstdp_agents.training.reports.scores import rolling
from rstdp_agents.training.runs.reading import Episodes, History, read_run, read_runs


def test_episodes_of_a_run_folder_are_those_of_each_agent(run):
    read = read_run(run)
    assert len(read.agents) == 2
    for agent in read.agents:
        assert agent.returns.tolist() == agent.lengths.tolist()  # CartPole pays one per step
        assert agent.axis("steps")[-1] <= 600
        assert agent.axis("episodes")[-1] == len(agent.returns)
        assert (np.diff(agent.axis("time")) >= 0).all()


def test_a_line_half_written_is_not_read(run, tmp_path):
    (tmp_path / "config.json").write_text((run / "config.json").read_text())
    text = (run / "monitor.csv").read_text()
    (tmp_path / "monitor.csv").write_text(text + "12,1")
    assert [len(a.returns) for a in read_run(tmp_path).agents] == [len(a.returns) for a in read_run(run).agents]


def test_curves_of_agents_meet_on_one_axis(run):
    agents = read_run(run).agents
    places, curves = curve(agents, "steps", 10)
    assert places[-1] == min(a.lengths.sum() for a in agents)
    assert curves[0, -1] == pytest.approx(
        np.interp(places[-1], agents[0].lengths.cumsum(), rolling(agents[0].returns, 10))
    )


def test_a_curve_per_value_of_a_setting(run, other):
    figure = learning_curves(read_runs([run, other], "plasticity.lr"), "episodes", 10)
    labels = figure.axes[0].get_legend_handles_labels()[1]
    few = [
        of_episodes(*(len(agent.returns) for agent in read_run(folder).agents), window=10) for folder in (run, other)
    ]
    assert labels == [f"0.6 (2){few[0]}", f"0.123 (2){few[1]}", "solved: 475"]


def run_of(*returns):
    """A run of agents with these returns, one step an episode."""
    agents = [Episodes(np.array(r, dtype=float), np.ones(len(r)), np.arange(len(r), dtype=float)) for r in returns]
    return History(Path("runs/x"), preset("CartPole-v1", "rstdp-et"), agents, 475.0)


def test_a_curve_is_dashed_up_to_where_its_window_is_full():
    figure = learning_curves({"CartPole-v1": {"x": [run_of(range(300), range(250))]}}, "episodes", 100)
    assert figure.axes[0].get_ylabel() == "mean return of 100 episodes (dashed: of fewer)"
    whole, part, solved = figure.axes[0].lines
    assert (whole.get_label(), whole.get_linestyle(), part.get_linestyle()) == ("x (2)", "-", "--")
    assert solved.get_label() == "solved: 475"
    first = whole.get_xdata()[0]
    assert 100 <= first < 102
    assert whole.get_ydata()[0] == pytest.approx(first - 1 - 49.5)  # the mean of the last 100 of 0, 1, 2, ...
    assert (part.get_xdata()[0], part.get_xdata()[-1], part.get_ydata()[-1]) == (1, first, whole.get_ydata()[0])


def test_a_curve_of_fewer_episodes_is_dashed_and_says_of_how_many():
    figure = learning_curves(
        {"CartPole-v1": {"x": [run_of([397.0] * 23)], "y": [run_of([1.0] * 7, [1.0] * 300)]}}, "steps", 100
    )
    lines = {line.get_label(): line.get_linestyle() for line in figure.axes[0].lines if len(line.get_xdata()) > 2}
    assert lines["x (1) (of 23)"] == lines["y (2) (of 7 to 100)"] == "--"
    assert "-" not in lines.values()


def test_tables_and_figures_say_of_how_many_episodes_a_mean_is():
    few, many = [np.full(23, 397.1), np.full(40, 397.1)], [np.full(100, 5.0), np.full(300, 5.0)]
    assert report.row(few, 475.0)[3] == "397.1 [397.1, 397.1] (of 23 to 40)"
    assert report.row(few[:1], None)[3] == "397.1 [397.1, 397.1] (of 23)"
    assert report.row(many, None)[3] == "5.00 [5.00, 5.00]"
    runs = {"A-v0": {"x": [run_of(*few)], "y": [run_of(*many)], "z": [run_of([])]}}
    assert report.finals(runs)["A-v0"] == {"x (of 23 to 40)": pytest.approx((397.1,) * 3), "y": (5.0, 5.0, 5.0)}


def test_plot_writes_a_picture(run, other, command, tmp_path):
    code, out, _ = command("plot", run, other, "--axis", "time", "--out", tmp_path / "curves.png")
    assert (code, out) == (0, f"wrote {tmp_path / 'curves.png'}\n")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_report_is_a_page_with_tables_and_pictures(run, other, command, tmp_path):
    assert command("report", run, other, "--out", tmp_path)[0] == 0
    page = (tmp_path / "README.md").read_text()
    for label, folder in (("rstdp-et", run), ("reward-switch", other)):
        area = np.mean([a.returns.mean() for a in read_run(folder).agents])
        line = next(row for row in page.splitlines() if row.startswith(f"| {label} | 2 | 0/2 | - |"))
        assert f" {area:.1f} [" in line
    assert "| rstdp-et | reward-switch | " in page
    for name in ("learning", "final", "aggregate"):
        assert f"]({name}.png)" in page
        assert (tmp_path / f"{name}.png").exists()


def test_what_is_no_run_is_one_line(run, command, tmp_path):
    code, _, err = command("report", run, tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert f"{tmp_path} is not a run folder that can be read" in err
    code, _, err = command("plot", run, "--by", "plasticity", "--out", tmp_path / "x.png")
    assert (code, err) == (
        2,
        "error: `--by` takes folder or the name of a setting, such as rule; received 'plasticity'\n",
    )
    assert not (tmp_path / "x.png").exists()
