import pytest
import torch

from rstdp_agents.base.settings import override
from rstdp_agents.training.monitoring.dashboard import HIGH, LOW, banded, charts, hyperparameters, layout
from rstdp_agents.training.monitoring.measures import measures, population
from rstdp_agents.training.presets import preset
from tests.helpers import cartpole_agent, observations


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_figures_are_those_of_each_agent(backend):
    agent = cartpole_agent(seeds=(0, 1), envs=2, backend=backend)
    agent.begin(observations(2, 2))
    agent.layer.weight[1] = 1.0
    agent.layer.weight[0] = 0.5
    agent.layer.weight[0, :8, 0] = -1.0  # half of the weights of one of the five inputs in use
    agent.layer.weight[0, :, 9] = 1.0  # not in use
    agent.statistics.clear()
    agent.statistics.windows = 2
    agent.statistics.sums[0] = torch.tensor([4.0, 8.0, 18.0])
    agent.statistics.spikes[-1][0, :4] = 6.0
    agent.statistics.spikes[0][:, :5] = 1.0
    figures = {name: values.tolist() for name, values in measures(agent).items()}
    assert all(len(values) == 2 for values in figures.values())
    assert figures["learn/modulator_mean"] == [2.0, 0.0]
    assert figures["learn/modulator_rms"] == [2.0, 0.0]
    assert figures["learn/dw_rms"] == [3.0, 0.0]
    assert (figures["learn/w_mean"][1], figures["learn/w_rms"][1]) == (1.0, 1.0)
    assert figures["learn/w_saturated_frac"] == pytest.approx([0.1, 1.0])
    assert figures["activity/silent_frac/output"] == [0.75, 1.0]
    seconds = 2 * 2 * agent.layer.window_ms / 1000
    assert figures["activity/rate_hz/output"] == pytest.approx([24 / 16 / seconds, 0.0])
    assert figures["activity/rate_of_target/output"] == pytest.approx([24 / 16 / seconds / 250.0, 0.0])


def test_the_band_holds_the_middle_eight_tenths():
    assert population(torch.arange(11.0)) == pytest.approx((5.0, 1.0, 9.0))


def test_the_page_shows_a_curve_and_its_band():
    page = layout(charts(["hidden", "output"], critic=True, held=True))
    assert next(iter(page)) == "1 return"
    assert list(page["1 return"]) == ["episode length", "return"]  # TensorBoard shows the last one first
    assert page["1 return"]["return"] == ["Margin", [f"{p}charts/episodic_return" for p in ("", LOW, HIGH)]]
    assert page["2 activity"]["rate of output (Hz)"][1][0] == "activity/rate_hz/output"
    assert list(page["2 activity"])[-5:-3] == ["rate of hidden / target", "rate of output / target"]
    assert page["2 activity"]["rate of output / target"][1][0] == "activity/rate_of_target/output"
    assert "rate of output / target" not in charts(["output"], critic=True, held=False)["2 activity"]
    assert "largest critic weight" not in charts(["output"], critic=False, held=False)["3 modulator"]


def test_a_number_of_info_takes_no_title_or_tag_from_another_chart():
    words = ("return", "episode length", "charts/episodic_return")
    page = charts(["output"], critic=False, held=True, keywords=words)["1 return"]
    assert list(page.values()) == ["charts/episodic_return", "charts/episodic_length", *(f"info/{w}" for w in words)]


def test_charts_of_different_runs_are_the_same_wherever_they_have_the_same_title():
    deep, flat = charts(["hidden1", "output"], critic=True, held=True), charts(["output"], critic=False, held=False)
    for page, titles in flat.items():
        assert titles.items() <= deep[page].items()
    assert banded(flat) < banded(deep)


def test_settings_that_tell_runs_apart_come_with_their_results():
    config = override(
        preset("CartPole-v1", "rstdp-et"),
        {"agent.encoder.cells": (6, 4, 6, 6), "agent.plasticity.lr": 0.25, "run_dir": "somewhere", "seed": 3},
    )
    settings = hyperparameters(config)
    assert (settings["env"], settings["rule"], settings["seed"], settings["plasticity.lr"]) == (
        "CartPole-v1",
        "rstdp-et",
        3,
        0.25,
    )
    assert settings["encoder.cells"] == "(6, 4, 6, 6)"
    assert "run_dir" not in settings
    assert "neuron.tau_m" not in settings  # as it always is
