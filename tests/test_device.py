"""The torch path on a GPU, where there is one."""

import numpy as np
import pytest
import torch

from rstdp_agents.transition import Transition
from tests.helpers import cartpole_agent, observations

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


@pytest.mark.parametrize("rule", ["rstdp", "rstdp-et", "reward-switch"])
def test_gpu_agrees_with_cpu(rule):
    agents = [cartpole_agent(range(3), 2, torch.float64, rule, device=device) for device in ("cpu", "cuda")]
    assert np.array_equal(*(agent.begin(observations(3, 2)) for agent in agents))
    for i in range(20):
        done = np.random.default_rng(i).random((3, 2)) < 0.1
        t = Transition(observations(3, 2, i), np.ones((3, 2)), done, np.zeros_like(done))
        assert np.array_equal(*(agent.step(t) for agent in agents)), i
    cpu, gpu = (agent.tensors() for agent in agents)
    for name, tensor in cpu.items():
        torch.testing.assert_close(gpu[name].cpu(), tensor, rtol=1e-9, atol=1e-9, msg=name)


def test_a_window_does_not_wait_for_the_device():
    agent = cartpole_agent(range(3), 2, device="cuda")
    agent.begin(observations(3, 2))
    network, rates = agent.network, agent.encoder.rates(agent.tensor(observations(3, 2)))
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")  # whatever the host waits for is an error
    try:
        window, network.neurons = agent.respond(rates, agent.random, network.neurons)
        _, gate = agent.decoder.choose(window.rates, window.choice)
        network.remember(window.spikes, gate)
        network.learn(agent.m, agent.lr)
    finally:
        torch.cuda.set_sync_debug_mode(before)
