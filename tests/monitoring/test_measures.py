import pytest
import torch

from rstdp_agents.config import override
from rstdp_agents.monitoring.dashboard import HIGH, LOW, hyperparameters, layout
from rstdp_agents.monitoring.measures import measures, population
from rstdp_agents.presets import preset
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


def test_the_band_holds_the_middle_eight_tenths():
    assert population(torch.arange(11.0)) == pytest.approx((5.0, 1.0, 9.0))


def test_the_page_shows_curves_of_one_agent_and_bands_of_many():
    one, many = (layout(["hidden", "output"], critic=True, many=m) for m in (False, True))
    assert list(one) == list(many)
    assert next(iter(one)) == "1 return"
    assert list(one["1 return"]) == ["episode length", "return"]  # TensorBoard shows the last one first
    assert many["1 return"]["return"] == ["Margin", [f"{p}charts/episodic_return" for p in ("", LOW, HIGH)]]
    assert one["2 activity"]["rate of output (Hz)"] == ["Multiline", ["^activity/rate_hz/output$"]]
    assert "largest critic weight" not in layout(["output"], critic=False, many=False)["3 modulator"]


def test_settings_that_tell_runs_apart_come_with_their_results():
    config = override(
        preset("CartPole-v1", "rstdp-et"), {"agent.plasticity.lr": 0.25, "run_dir": "somewhere", "seed": 3}
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
