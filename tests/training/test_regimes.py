"""The cortical regime: what a brain would recognise, in one option."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import rstdp_agents as ra
from benchmarks import players
from benchmarks.tasks import TASKS
from rstdp_agents.agent.agent import Agent
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.equations.neuron import lif_constants, noisy_threshold
from rstdp_agents.tools.cli import main
from rstdp_agents.tools.commands.train import parse
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.presets import origin, preset
from rstdp_agents.training.presets.regimes import REGIMES
from rstdp_agents.training.ranged import ranged
from tests.helpers import CARTPOLE, Corridor, observations

CUE = "rstdp/Cue-v0"


def test_the_fast_regime_is_the_one_setting():
    assert preset("Nobody/Knows-v0", "rstdp-et").agent == RunConfig().agent
    assert set(REGIMES) == {"fast", "cortical"}
    assert REGIMES["fast"] == {}


def test_a_neuron_without_input_fires_less_than_two_times_a_second():
    config = preset("CartPole-v1", "rstdp-et", regime="cortical").agent
    p, dt = config.neuron, config.simulation.dt
    uniform = (torch.arange(1_000_000, dtype=torch.float64) + 0.5) / 1_000_000
    fired = (p.v_rest >= noisy_threshold(uniform, lif_constants(p, dt))).double().mean().item()
    assert fired * 1000.0 / dt == pytest.approx(p.escape_rate * math.exp(-1.0 / p.escape_noise), rel=0.05)
    assert fired * 1000.0 / dt < 2.0


def test_rates_signs_and_membranes_are_those_of_a_cortex_and_compiled():
    config = preset("CartPole-v1", "rstdp-et", regime="cortical").agent
    agent = Agent(config, CARTPOLE.observation_space, CARTPOLE.action_space, seeds=(0, 1))
    assert agent.backend == "fused"
    envs = SerialGrid("CartPole-v1", {}, 2, 1)
    for _ in players.episodes(agent, envs, (0, 1), 3000):
        pass
    seconds = agent.statistics.windows * agent.layer.window_ms / 1000.0
    inputs, outputs = (spikes / seconds for spikes in agent.statistics.spikes)
    assert 1.0 < outputs.min() < outputs.max() < 50.0
    assert outputs.mean(1).tolist() == pytest.approx([30.0, 30.0], rel=0.1)
    assert inputs.max() < 100.0
    assert agent.layer.weight[:, :, ::2].min() >= 0.0 >= agent.layer.weight[:, :, 1::2].max()
    assert agent.layer.neurons.v.abs().max() > 0.0  # between two env steps
    assert agent.layer.pairs.x.max() > 0.0


def test_it_learns_and_its_frozen_twin_does_not():
    seeds, task = (0, 1, 2), replace(TASKS[CUE], max_steps=800)
    config, means = preset(CUE, "rstdp-et", regime="cortical").agent, {}
    for frozen in (False, True):
        envs = SerialGrid(CUE, {}, len(seeds), 1)
        agent = players.spiking(config, envs, seeds, frozen)
        means[frozen] = [record["final_mean"] for record in players.play(agent, envs, task, seeds, 800)]
    assert min(means[False]) > 0.85
    assert max(means[True]) < 0.45


@pytest.mark.parametrize(
    ("env", "ms"), [("CartPole-v1", 20.0), ("Acrobot-v1", 66.0), ("MountainCar-v0", 34.0), ("FrozenLake-v1", 250.0)]
)
def test_a_step_may_last_as_long_as_the_environment_says(env, ms):
    made = override(preset(env, "rstdp-et", regime="cortical"), {"clock": "env", "progress": False})
    envs, config = players.prepared(made, 1)
    assert config.simulation.ticks * config.simulation.dt == ms
    agent = players.spiking(config, envs, (0,), frozen=False)
    assert agent.layer.window_ms == ms
    kept = override(made, {"agent.encoder.low": config.encoder.low, "agent.encoder.high": config.encoder.high})
    assert ranged(kept, env, {}).agent.simulation.ticks == config.simulation.ticks, "with a range that is given too"


@pytest.mark.parametrize(
    ("fps", "ticks"), [(np.int64(25), 20), (np.float32(50.0), 10), (True, None), (0, None), ("30", None)]
)
def test_a_clock_is_a_positive_number(fps, ticks, monkeypatch):
    monkeypatch.setattr(Corridor, "metadata", {"render_fps": fps})
    made = override(preset("", "rstdp-et", regime="cortical"), {"clock": "env", "progress": False})
    if ticks:
        assert ranged(made, Corridor, {}).agent.simulation.ticks == ticks
    else:
        with pytest.raises(UsageError, match="`--clock env` needs"):
            ranged(made, Corridor, {})


def test_an_environment_without_a_clock_is_told_apart():
    made = override(preset("", "rstdp-et"), {"clock": "env", "progress": False})
    with pytest.raises(UsageError, match=r"`--clock env` needs .* 'tests.helpers:Corridor' has None"):
        ranged(made, Corridor, {})


def test_the_command_line_and_python_know_it(tmp_path, capsys):
    config, _, note = parse(["--env", "Acrobot-v1", "--regime", "cortical", "--homeostasis.rate-target", "20"])
    assert note == "the one setting of rstdp-et, cortical regime" == origin("Acrobot-v1", "rstdp-et", regime="cortical")
    assert config.regime == "cortical"
    expected = preset("Acrobot-v1", "rstdp-et", regime="cortical").agent
    assert config.agent == override(expected, {"homeostasis.rate_target": 20.0})
    run = ra.train(CUE, tmp_path / "run", regime="cortical", total_steps=20, eval_episodes=0, images=0, progress=False)
    assert run.config.agent == preset(CUE, "rstdp-et", regime="cortical").agent
    assert main(["--resume", str(tmp_path / "run"), "--regime", "fast"]) == 2
    assert "`--regime` is cortical in the run that is resumed, and cannot become fast" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--regime", "thalamic"])
    with pytest.raises(ValueError, match="`regime` is fast in the `config` that is given, and cannot become cortical"):
        ra.train(CUE, config=preset(CUE, "rstdp-et"), regime="cortical")


def test_observations_do_not_matter_to_what_is_carried_over_an_episode():
    """An episode begins at rest: what came before it has left nothing in neurons or traces."""
    config = override(preset("CartPole-v1", "rstdp-et", regime="cortical").agent, {"plasticity.lr": 0.0})
    agent = Agent(config, CARTPOLE.observation_space, CARTPOLE.action_space, seeds=(0,))
    agent.begin(observations(1, 1))
    agent.reset(np.ones((1, 1), dtype=bool))
    for tensor in (agent.layer.neurons.v, agent.layer.neurons.refractory, agent.layer.pairs.x, agent.layer.pairs.y):
        assert not tensor.any()
