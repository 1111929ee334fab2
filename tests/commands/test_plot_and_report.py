import numpy as np
import pytest

from rstdp_agents.reports.plots import curve, learning_curves
from rstdp_agents.reports.scores import rolling
from rstdp_agents.runs.reading import read_run, read_runs


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
    assert labels == ["0.5 (2)", "0.123 (2)", "solved: 475"]


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
