"""The generality benchmark: its scores are right by hand, and what is there is not run again."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import gains, generality, generality_report, sb3, trials
from benchmarks.pool import PoolTask
from benchmarks.trials import Setting, Trial
from rstdp_agents.environments import make_env

XOR = "rstdp/XOR-v0"
HAND = PoolTask("own tasks", "choice", XOR, 10)


def array(*values):
    return np.array(values, dtype=float)


def test_only_episodes_that_end_in_the_last_fifth_count():
    late = gains.late_returns([[1.0, 2.0, 3.0, 5.0], [7.0]], [[3, 8, 9, 10], [8]], steps=10)
    assert late[0] == 4.0
    assert np.isnan(late[1])


def test_score_is_zero_by_chance_and_one_for_the_reference():
    chance, reference = array(0, 2), array(4, 6)
    assert gains.scores(array(1, 5, 9, -3), chance, reference).tolist() == [0.0, 1.0, 2.0, -1.0]
    scaled = gains.scores(1000 * array(1, 5, 9, -3), 1000 * chance, 1000 * reference)
    assert scaled.tolist() == [0.0, 1.0, 2.0, -1.0]


def test_a_reference_that_gained_nothing_gives_one_to_who_is_above_chance():
    chance = array(0, 2)
    for reference in (array(1, 1), array(2, 2), array(-9, -9)):
        assert gains.scores(array(1, 2, 3), chance, reference).tolist() == [0.0, 0.0, 1.0]
    assert gains.scores(array(1, 2, 3), chance, array(2, 4)).tolist() == [0.0, 0.5, 1.0]


def test_above_a_twin_is_a_matter_of_ranks():
    ten = np.arange(10.0)
    assert gains.is_above(ten + 10, ten)
    assert not gains.is_above(ten, ten + 10)
    assert not gains.is_above(ten, ten)
    assert not gains.is_above(np.ones(10), np.ones(10))
    assert gains.is_level(array(1, 3), array(2, 2))
    assert not gains.is_level(array(1, 2), array(2, 2))


def test_sensitivity_is_the_median_difference_over_tasks():
    one = [array(0.5, 0.5), array(1, 1), array(0, 0)]
    value, low, high = gains.sensitivity([array(1, 1), array(2, 4), array(90, 90)], one)
    assert value == 2.0  # of 0.5, 2 and 90
    assert (low, high) == (1.0, 3.0)


def filled(**late):
    return gains.Result(XOR, HAND, {player: array(*values) for player, values in late.items()})


def test_tables_count_and_aggregate_by_hand():
    good = filled(agent=[9, 9], frozen=[1, 1], random=[0, 2], ppo=[5, 5], preset=[13, 13])
    tie = filled(agent=[1, 3], frozen=[1, 1], random=[0, 2], ppo=[1, 1])
    lines = generality_report.aggregate_table([good, tie]).splitlines()[2:]
    assert (
        lines[0] == "| agent | 2 | 1.25 [1.00, 1.50] | 1.50 [1.00, 1.50] | 0/2 | 2/2 |"
    )  # two seeds are too few for p < 0.01
    assert lines[1] == "| frozen | 2 | 0.00 [0.00, 0.00] | 0.00 [0.00, 0.00] | - | 1/2 |"
    assert lines[2] == "| preset | 1 | 3.00 [3.00, 3.00] | 3.00 [3.00, 3.00] | 0/1 | 1/1 |"
    assert generality_report.sensitivity_line([good, tie]) == (
        "Sensitivity, the score of the preset minus that of the one setting, median of 1 tasks: 1.00 [1.00, 1.00]."
    )
    rows = generality_report.task_table([good, tie]).splitlines()[2:]
    assert rows[0].endswith("| 2.00, 2.00 to 2.00 | no | yes |")
    assert rows[1].endswith("| 0.50, 0.00 to 1.00 (tie) | no | yes |")


def test_fingerprint_covers_what_the_returns_depend_on_and_nothing_else(tmp_path):
    trial = Trial(XOR, HAND, "agent", (0, 1))
    same = replace(trial, task=replace(HAND, kind="others", pool="held-out"))
    assert same.fingerprint == trial.fingerprint
    others = [
        replace(trial, seeds=(0, 2)), replace(trial, player="frozen"), replace(trial, task=replace(HAND, steps=11)),
        replace(trial, setting=Setting("rstdp")), replace(trial, setting=Setting(changes=("plasticity.lr=0.9",))),
        replace(trial, task=replace(HAND, wrapper=("benchmarks.variants:rewards_x1000",))),
    ]  # fmt: skip
    assert len({one.fingerprint for one in [trial, *others]}) == 7
    assert len({one.file(tmp_path) for one in [trial, *others]}) == 7
    ppo = replace(trial, player="ppo")
    assert replace(ppo, setting=Setting("rstdp")).fingerprint == ppo.fingerprint
    tuned = replace(trial, player="preset")
    assert replace(tuned, setting=Setting(changes=("plasticity.lr=0.9",))).fingerprint == tuned.fingerprint


@pytest.fixture
def small(monkeypatch):
    """A pool of a task of 50 steps, and one of a package that nobody has."""
    small = {XOR: replace(HAND, steps=50), "absent": replace(HAND, env="no_such_package:Name-v0")}
    monkeypatch.setattr(generality, "POOL", small)
    return small


def run(*words, seeds="0-1"):
    generality.main([*words, "--seeds", seeds, "--reference-seeds", "0-1"])


@pytest.mark.slow
def test_what_is_there_is_not_run_again(tmp_path, small, monkeypatch, capsys):
    played = []
    original = trials.run
    monkeypatch.setattr(trials, "run", lambda trial: played.append(trial.player) or original(trial))
    words = ["--tasks", XOR, "--out", str(tmp_path), "--players", "agent", "random"]
    run(*words)
    run(*words, "linear")
    assert played == ["agent", "random", "linear"]
    run(*words, "--set", "plasticity.lr=0.9")
    assert played[3:] == ["agent"]
    run(*words, seeds="0-2")
    assert played[4:] == ["agent", "random"]
    files = sorted(path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.json"))
    assert files == ["agent"] * 3 + ["linear"] + ["random"] * 2
    content = json.loads(next((tmp_path / "linear").iterdir()).read_text())
    assert content["ends"] == [list(range(1, 51))] * 2  # episodes of one step
    assert set(content["returns"][0]) <= {0.0, 1.0}
    assert content["made_from"]["seeds"] == [0, 1]


def test_what_cannot_be_played_is_skipped_with_its_reason(tmp_path, small, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    page = tmp_path / "page.md"
    run("--out", str(tmp_path), "--players", "random", "sac", "--docs", str(page))
    printed = capsys.readouterr().out
    assert f"random   {XOR:40} done" in printed
    assert "no_such_package" in printed
    assert "pip install 'rstdp_agents[sb3]'" in printed
    assert len(list(tmp_path.rglob("*.json"))) == 1
    text = page.read_text()
    assert "## Not played" in text
    assert "`python -m benchmarks.generality --players random sac --seeds 0-1" in text
    assert not page.with_suffix(".png").exists()


def test_algorithms_refuse_actions_that_they_have_not(monkeypatch):
    pytest.importorskip("stable_baselines3")
    with pytest.raises(ValueError, match="sac acts in Box only; received Discrete"):
        sb3.learn("sac", XOR, {}, 0, 10)
    with pytest.raises(ValueError, match="dqn acts in Discrete only; received Box"):
        sb3.learn("dqn", "rstdp/Reach-v0", {}, 0, 10)


def test_reference_plays_the_asked_steps_in_flat_observations():
    pytest.importorskip("stable_baselines3")
    seen = []
    curve = sb3.learn("ppo", "rstdp/TMaze-v0", {}, 0, 300, lambda step, info: seen.append((step, type(info))))
    ends = [end for _, end in curve]
    assert seen == [(step, dict) for step in range(1, 2049)]  # PPO fills its buffer
    assert ends == sorted(ends)
    assert 250 < ends[-1] <= 300
    masked = sb3.flattened(make_env("Taxi-v4", {}))
    assert masked.observation_space.shape == (500,)
    assert masked.reset(seed=0)[0].sum() == 1


def test_page_and_picture_are_made_of_the_files(tmp_path, small, monkeypatch, capsys):
    level = {"agent": 0.9, "frozen": 0.2, "linear": 0.8, "preset": 1.0, "random": 0.2, "ppo": 0.6}
    monkeypatch.setattr(trials, "run", lambda trial: [[(level[trial.player] + seed / 100, 50)] for seed in trial.seeds])
    page = tmp_path / "page.md"
    run("--tasks", XOR, "--out", str(tmp_path), "--docs", str(page))
    text = page.read_text()
    assert "| agent | 1 | 1.75 [1.74, 1.76] |" in text.replace("1.73", "1.74").replace("1.77", "1.76")
    assert "![Scores of every seed on every task](page.png)" in text
    assert page.with_suffix(".png").stat().st_size > 5000


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--tasks CartPol-v1", "did you mean 'CartPole-v1'?"),
        ("--players agnet", "did you mean 'agent'?"),
        ("--pool held-out --tasks CartPole-v1", "none of these tasks is in the held-out pool"),
        ("--workers 0", "`workers` must be positive; received 0"),
        ("--seeds 3", "`seeds` must be the first and the last seed, as in 1000-1009; received '3'"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(words, expected, capsys, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        generality.main([*words.split(), "--out", str(tmp_path)])
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert expected in printed.err
    assert list(tmp_path.iterdir()) == []


def test_what_was_kept_before_a_setting_came_is_found_again_at_its_default(tmp_path):
    trial = Trial("CartPole-v1", HAND, "agent", (0, 1))
    then = trial.made_from
    del then["settings"]["plasticity.mu"]
    file = tmp_path / "agent" / "CartPole-v1_01234567.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"made_from": then}))
    assert trial.file(tmp_path) == file
    for changes in (("plasticity.mu=0.5",), ("plasticity.lr=0.5",)):
        assert replace(trial, setting=Setting("rstdp-et", changes)).file(tmp_path) != file
    assert replace(trial, seeds=(0,)).file(tmp_path) != file
