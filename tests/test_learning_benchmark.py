"""The learning benchmark: its controls are what they claim to be, and its figures are right."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

from benchmarks import ablation, learning, learning_report, players
from benchmarks.arguments import with_changes
from benchmarks.linear import Gaussian, linear_twin
from benchmarks.tasks import TASKS
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.decoders.options import DecoderConfig
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.presets import PRESETS, preset

XOR, CUE = "rstdp/XOR-v0", "rstdp/Cue-v0"


def test_random_sign_learns_as_much_but_not_what_was_good():
    seeds, task = (0, 1, 2, 3), replace(TASKS[CUE], max_steps=800)
    config, sizes, means = preset(CUE, "rstdp-et").agent, {}, {}
    for name in ("learner", "random sign"):
        envs = SerialGrid(CUE, {}, len(seeds), 1)
        agent = players.spiking(config, envs, seeds, frozen=False)
        before = agent.layer.weight.clone()
        player = agent if name == "learner" else players.RandomSign(agent, seeds)
        means[name] = [r["final_mean"] for r in players.play(player, envs, task, seeds, 800)]
        sizes[name] = (agent.layer.weight - before).abs().mean((1, 2))
    assert min(means["learner"]) > 0.9
    assert max(means["random sign"]) < 0.6
    assert (sizes["random sign"] > 0.02 * sizes["learner"]).all()


def test_linear_twin_learns_and_chance_does_not():
    seeds, task = (0, 1, 2), replace(TASKS[XOR], max_steps=600)
    table = {"encoder.code": "place-cells", "encoder.cells": (2, 2), "encoder.floor": 0.5, "modulation.critic_lr": 0.2}
    config = override(AgentConfig(), table)
    means = {}
    for name in ("linear", "random"):
        envs = SerialGrid(XOR, {}, len(seeds), 1)
        linear = linear_twin(config, envs, seeds)
        player = linear if name == "linear" else players.Random(envs.action_space, seeds)
        records = players.play(player, envs, task, seeds, 300)
        assert [r["episodes"] for r in records] == [300] * 3
        means[name] = [r["final_mean"] for r in records]
    assert min(means["linear"]) > 0.95
    assert max(means["random"]) < 0.7


def test_linear_twin_takes_no_masked_action():
    envs = SerialGrid("Taxi-v4", {}, 2, 1)
    player = linear_twin(preset("Taxi-v4", "rstdp-et").agent, envs, (0, 1))
    obs = envs.reset((0, 1))
    action, taken = player.begin(obs), []
    for _ in range(200):
        allowed = envs.rows.allowed(obs)[:, 0]
        taken.append(allowed[np.arange(2), action[:, 0]].all())
        transition = envs.step(action)
        obs, action = transition.obs, player.step(transition)
    assert all(taken)
    assert not allowed.all()


@pytest.mark.slow
def test_continuous_linear_twin_learns_to_reach():
    seeds, name = (0, 1, 2), "rstdp/Reach-v0"
    envs = SerialGrid(name, {}, len(seeds), 1)
    table = {"encoder.code": "place-cells", "encoder.cells": (5,) * 4, "encoder.floor": 0.05, "modulation.gamma": 0.9}
    twin = linear_twin(override(AgentConfig(), table), envs, seeds)
    records = players.play(twin, envs, TASKS[name], seeds, 300)
    assert min(r["final_mean"] for r in records) > 0.9


def test_gate_of_a_continuous_twin_is_the_score_of_its_action():
    """gate = (a - h) / exploration, a in units of half the range: the gradient of log pi by h, times the exploration."""
    box = gym.spaces.Box(np.array([0.0, -4.0], np.float32), np.array([2.0, 4.0], np.float32))
    h = np.array([[0.25, -0.5]])
    action, gate, push = Gaussian(box, DecoderConfig(exploration=0.02), (3,)).choose(
        h, np.zeros(0), np.log([[2.0, 2.0]])
    )
    assert action.shape == (1, 1, 2)
    np.testing.assert_allclose((action[:, 0] - [1.0, 0.0]) / [1.0, 4.0], h + 0.01 * gate)
    np.testing.assert_allclose(push, (1.0 - gate**2) / 2.0)
    low, *_ = Gaussian(box, DecoderConfig(exploration=0.01), (3,)).choose(
        np.array([[-9.0, 9.0]]), np.zeros(0), np.zeros((1, 2))
    )
    assert low.tolist() == [[[0.0, 4.0]]]


def test_normalised_return_is_zero_by_chance_and_one_when_solved():
    cells = {
        "random": {"task": XOR, "learner": [{"final_mean": 0.5}]},
        "rstdp": {"task": XOR, "learner": [{"final_mean": 0.5}, {"final_mean": 0.95}]},
    }
    scores = learning_report.normalised(cells, "rstdp")
    assert scores is not None
    assert scores.tolist() == pytest.approx([0.0, 1.0])


def test_an_ablation_goes_on_where_it_ended(tmp_path, capsys, monkeypatch):
    """Lines that its file has are not run again; another length of training is refused."""
    lines = {"the one setting": {}, "critic: none, the reward itself": {"modulator": "reward"}}
    monkeypatch.setitem(ablation.LINES, "fast", {"the one setting": {}})
    words = ["--task", XOR, "--seeds", "0-1", "--out", str(tmp_path)]
    ablation.main([*words, "--episodes", "20"])
    assert "the one setting" in capsys.readouterr().out
    monkeypatch.setitem(ablation.LINES, "fast", lines)
    ablation.main([*words, "--episodes", "20"])
    printed = capsys.readouterr().out
    assert "the one setting" not in printed
    assert "the reward itself" in printed
    assert [row.split("|")[1].strip() for row in next(tmp_path.glob("*.md")).read_text().splitlines()[4:]] == [*lines]
    with pytest.raises(SystemExit):
        ablation.main([*words, "--episodes", "30"])
    assert "has lines of other lengths of training: solved, in episodes (of 20)" in capsys.readouterr().err


@pytest.mark.parametrize(("task", "rule"), [(task, rule) for task, rules in PRESETS.items() for rule in rules])
def test_every_preset_is_of_a_task_that_exists_and_is_in_the_table(task, rule):
    config = preset(task, rule)
    assert (config.env, config.agent.rule) == (task, rule)
    assert task in TASKS
    module, _, name = task.rpartition(":")
    if module:
        pytest.importorskip(module)
    assert gym.spec(name).id == name


@pytest.mark.parametrize(
    ("command", "words", "expected"),
    [
        (learning, "--task CartPol-v1", "did you mean 'CartPole-v1'?"),
        (learning, "--rule stdp", "did you mean 'rstdp'?"),
        (learning, "--seeds 9-3", "`seeds` must be the first and the last seed, as in 1000-1009; received '9-3'"),
        (learning, "--episodes -1", "`episodes` must not be negative; received -1"),
        (ablation, "--task CartPole-v2", "did you mean 'CartPole-v1'?"),
        (ablation, "--seeds 3", "`seeds` must be the first and the last seed, as in 1000-1009; received '3'"),
        (ablation, "--episodes 0", "`episodes` must be positive; received 0"),
        (learning_report, "nowhere", "no cells of spiking learners in nowhere"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_line(command, words, expected, capsys, tmp_path):
    folder = ["--docs" if command is learning_report else "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as stopped:
        command.main([*words.split(), *folder])
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    assert printed.err.count("\n") == 1
    assert expected in printed.err
    assert list(tmp_path.iterdir()) == []


def test_changes_to_a_preset_are_read_as_options_are():
    changed = with_changes(preset("CartPole-v1", "rstdp-et").agent, ("plasticity.lr=0.25", "encoder.cells=3 4 5 6"))
    assert (changed.plasticity.lr, changed.encoder.cells) == (0.25, (3, 4, 5, 6))
    assert changed.modulation == preset("CartPole-v1", "rstdp-et").agent.modulation
