"""The benchmark of perturbations: what is done to agents that have learnt, and what is said of their rates."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import perturbation
from benchmarks.players import prepared, spiking
from rstdp_agents.base.settings import override
from rstdp_agents.training.presets import preset

CUE = "rstdp/Cue-v0"
MADE = replace(preset(CUE, "rstdp-et"), seed=0, progress=False)


@pytest.fixture(scope="module")
def learnt():
    envs, config = prepared(MADE, 2)
    agent = spiking(config, envs, (0, 1), frozen=False)
    before = perturbation.course(agent, MADE, (0, 1), 3000)
    envs.close()
    return agent, before


def test_a_copy_has_what_was_learnt_and_other_inputs(learnt):
    agent, _ = learnt
    copy = perturbation.perturbed(agent, agent.config, 0.3, lesion=False)
    assert copy.layer.weight.equal(agent.layer.weight)
    assert copy.parts.p_max == pytest.approx(0.3 * agent.parts.p_max)


def test_a_lesion_takes_half_of_the_neurons_of_every_action(learnt):
    agent, _ = learnt
    copy, size = perturbation.perturbed(agent, agent.config, 1.0, lesion=True), agent.config.decoder.neurons_per_action
    kept = torch.arange(agent.decoder.size).reshape(-1, size)[:, : size // 2].flatten()
    assert copy.decoder.size == agent.decoder.size // 2
    assert copy.layer.weight.equal(agent.layer.weight[:, kept])


def test_rates_come_back_with_homeostasis_and_stay_away_where_it_stops(learnt):
    agent, before = learnt
    off = []
    for changes in ({}, perturbation.STOP):
        copy = perturbation.perturbed(agent, override(agent.config, changes), 0.3, lesion=False)
        after = perturbation.course(copy, MADE, (0, 1), 5000)
        off.append([abs(np.mean(rates) / 250.0 - 1.0) for rates in (after["rates"][0], after["rates"][-1])])
    assert abs(np.mean(before["rates"][-1]) / 250.0 - 1.0) < 0.1
    assert off[0][1] < 0.1
    assert off[0][1] < off[0][0] - 0.1
    assert off[1][1] > 0.1


def test_a_line_counts_what_is_held_from_five_thousand_steps_on():
    course = {"rates": [[100.0]] * 5 + [[250.0]] * 3 + [[300.0]], "returns": [[1.0]] * 5 + [[3.0]] * 4}
    found = {"target": 250.0, "homeostasis": {perturbation.BEFORE: course, "none": course}}
    line = perturbation._row("homeostasis", "none", found)
    assert line[:6] == ["none", "homeostasis", "230", "100", "100 (100 to 100)", "75%"]
    assert line[6:] == ["2.6 [2.6, 2.6]", "1.0 [1.0, 1.0]", "2.6 [2.6, 2.6]"]


def test_what_cannot_be_run_is_said_in_a_line(capsys):
    for argv in (["--task", "Nowhere-v0"], ["--steps", "-1"], ["--seeds", "5"]):
        with pytest.raises(SystemExit):
            perturbation.main(argv)
        assert capsys.readouterr().err.startswith("error: `")
