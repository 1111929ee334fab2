import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.inference import rows
from rstdp_agents.base.settings import override
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.tools.export.program import OUTPUTS, onnx_bytes, torch_bytes, torch_program
from tests.agent.test_agent import transition
from tests.helpers import cartpole_agent, experience, observations

BATCH = 6
SHORT = {"simulation.ticks": 4}  # exporters are slow, and look at every tick


def trained(**changes):
    """Three agents that have learnt something, whatever."""
    agent = cartpole_agent(range(3), 2, backend="fused", **{"decoder.inverse_temperature": 30.0, **SHORT, **changes})
    experience(agent, lambda agents, envs, i: transition(3, envs, i), rows=slice(0, 3))
    return agent


def numbers(step, seed=8):
    return rows(AgentRandom((seed,), torch.device("cpu"), torch.float32), step.parts, BATCH)


@pytest.mark.parametrize("greedy", [True, False])
def test_module_acts_as_the_frozen_policy_of_the_agent(greedy):
    agent = trained()
    step, obs = agent.as_torch_module(1, greedy), observations(3, BATCH)
    policy = agent.single(1).policy(BATCH, (8,))
    rates = policy.rates(obs[1:2])[0]
    action, seen, probabilities = step(torch.from_numpy(obs[1]), numbers(step))
    assert torch.equal(seen, rates)
    assert len(seen.unique(dim=0)) > 1
    again = agent.single(1).policy(BATCH, (8,)).act(obs[1:2], greedy)
    assert np.array_equal(action.numpy(), again[0])
    torch.testing.assert_close(probabilities, torch.softmax(30 * rates, -1))


def test_a_step_with_a_seed_gives_equal_actions_for_equal_observations():
    agent = trained()
    step, obs = agent.as_torch_module(2, greedy=True, seed=5), torch.from_numpy(observations(1, 1)[0]).repeat(4, 1)
    action, rates, _ = step(obs)
    assert len(rates.unique(dim=0)) == 1
    assert len(action.unique()) == 1
    free = agent.as_torch_module(2, greedy=True)
    assert torch.equal(free(obs, step.uniform.expand(4, -1))[1], rates)
    assert len(free(obs, torch.rand(4, step.draws, generator=torch.Generator().manual_seed(0)))[1].unique(dim=0)) > 1


def continuous():
    config = override(
        AgentConfig(), {**SHORT, "decoder.neurons_per_action": 7, "encoder.code": "tiles", "encoder.cells": (3, 3)}
    )
    box = gym.spaces.Box(-2.0, 2.0, (2,))
    return Agent(config, gym.spaces.Box(-1.0, 1.0, (2,)), box, seeds=(3,)), box


def test_programs_of_continuous_actions_and_of_discrete_observations_are_those_of_the_module():
    taxi = Agent(
        override(AgentConfig(), SHORT), gym.spaces.Discrete(9, start=2), gym.spaces.Discrete(3, start=1), seeds=(3,)
    )
    cortical = {"network.dale": True, "neuron.escape": "exponential", "neuron.escape_noise": 0.25}
    brain = cartpole_agent([3], **SHORT, **cortical), torch.from_numpy(observations(1, BATCH)[0])
    for agent, obs in ((continuous()[0], torch.rand(BATCH, 2)), brain, (taxi, torch.arange(2.0, 2.0 + BATCH))):
        step = agent.as_torch_module()
        expected = step(obs, numbers(step))
        loaded = torch_program(step).module()(obs, numbers(step))
        assert all(torch.equal(a, b) for a, b in zip(expected, loaded, strict=True))
    assert set(expected[0].tolist()) <= {1, 2, 3}


def test_a_saved_program_runs_on_any_batch_to_the_bit_and_says_whose_it_is(tmp_path):
    step = trained().as_torch_module(1)
    (tmp_path / "a.pt2").write_bytes(torch_bytes(step, '{"env": "here"}'))
    about = {"rstdp_agents": ""}
    program = torch.export.load(tmp_path / "a.pt2", extra_files=about).module()
    assert about == {"rstdp_agents": '{"env": "here"}'}
    obs, uniform = torch.from_numpy(observations(1, BATCH)[0]), numbers(step)
    for batch in (1, BATCH):
        got = program(obs[:batch], uniform[:batch])
        assert all(torch.equal(a, b) for a, b in zip(step(obs[:batch], uniform[:batch]), got, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 3.0])
def test_onnx_decides_as_the_module(delay):
    pytest.importorskip("onnxscript", reason="needs the extra `onnx`")
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra `onnx`")
    step = trained(**{"network.max_delay": delay}).as_torch_module(1)
    session = runtime.InferenceSession(onnx_bytes(step, '{"env": "here"}'))
    assert session.get_modelmeta().custom_metadata_map == {"rstdp_agents": '{"env": "here"}'}
    assert [output.name for output in session.get_outputs()] == list(OUTPUTS)
    obs, uniform = observations(1, BATCH)[0], numbers(step).numpy()
    for batch in (1, BATCH):
        action, rates, policy = session.run(None, {"obs": obs[:batch], "uniform": uniform[:batch]})
        expected = step(torch.from_numpy(obs[:batch]), torch.from_numpy(uniform[:batch]))
        assert np.array_equal(action, expected[0].numpy())
        assert np.array_equal(rates, expected[1].numpy())
        np.testing.assert_allclose(policy, expected[2].numpy(), rtol=1e-5)


def test_what_cannot_be_exported_is_refused_by_name():
    with pytest.raises(ValueError, match=r"`simulation.fresh_each_window` must be true"):
        cartpole_agent(**{"simulation.fresh_each_window": False}).as_torch_module()
    with pytest.raises(ValueError, match="`uniform` is needed"):
        cartpole_agent().as_torch_module()(torch.zeros(1, 4))
