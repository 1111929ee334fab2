"""What a learning rate does to the drive of an output neuron, whatever the input, the window and the rule."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.transition import Transition

TAU_PLUS, LR = 20.0, 0.7


class AllFire:
    """An encoder of so many inputs, all of which are as active as can be."""

    def __init__(self, size):
        self.size = size

    def rates(self, obs):
        return torch.ones(*obs.shape[:2], self.size, dtype=obs.dtype)

    def to(self, device, dtype):
        return self


def learnt(inputs, backend="torch", reward=1.0, **changes):
    """Change of the weights ``(outputs, inputs)`` by one rewarded step, and the output spikes ``(ticks, outputs)`` before."""
    plain = {
        "rule": "rstdp", "modulator": "reward", "modulation.gain": "fixed", "decoder.gate": "none",
        "homeostasis.param": "none", "encoder.rate_max": 1000.0, "plasticity.w_init": 0.0, "plasticity.lr": LR,
        "modulation.novelty": 0.0,
        "plasticity.tau_plus": TAU_PLUS, "plasticity.w_max": 10.0,
    }  # fmt: skip
    config = override(AgentConfig(), plain | changes)
    space, obs, nobody = gym.spaces.Box(0.0, 1.0, (1,)), np.zeros((1, 1, 1), np.float32), np.zeros((1, 1), bool)
    agent = Agent(config, space, gym.spaces.Discrete(3), seeds=(1,), backend=backend, encoder=AllFire(inputs))
    agent.begin(obs)
    before, spikes = agent.layer.weight.clone(), agent.spikes()[1][:, 0, 0]
    agent.step(Transition(obs, np.full((1, 1), reward), nobody, nobody))
    return (agent.layer.weight - before)[0], spikes


@pytest.mark.parametrize("backend", ["torch", "fused"])
@pytest.mark.parametrize("inputs", [1, 10, 400])
def test_the_change_of_drive_does_not_depend_on_the_number_of_inputs(inputs, backend):
    dw, post = learnt(inputs, backend)
    trace = np.cumsum(np.exp(-np.arange(10) / TAU_PLUS))  # of an input that fires in every tick
    pairs = post.T.double().numpy() @ trace
    assert pairs.max() > 0
    np.testing.assert_allclose(dw.sum(1) * 10, LR * pairs / 10, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("ticks", [4, 10, 20, 40])
def test_it_depends_on_the_length_of_a_window_only_weakly(ticks):
    """About half of lr per output spike: of the inputs' spikes, about half come before it."""
    dw, post = learnt(5, **{"simulation.ticks": ticks})
    per_spike = (dw.sum(1) * ticks).sum() / post.sum()
    assert 0.3 * LR < per_spike < 0.7 * LR


def test_a_change_is_in_proportion_to_the_modulator_and_has_its_sign():
    dw, _ = learnt(5)
    for m in (-2.0, 0.5):
        torch.testing.assert_close(learnt(5, reward=m)[0], m * dw)
    assert not learnt(5, reward=0.0)[0].any()


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_a_learning_rate_means_the_same_with_any_eligibility_trace(backend):
    dw, _ = learnt(5, backend)
    for tau_e in (1e3, 1e5):
        of_trace, _ = learnt(5, backend, **{"rule": "rstdp-et", "plasticity.tau_e": tau_e})
        torch.testing.assert_close(of_trace, dw, rtol=20.0 / tau_e, atol=1e-7)
