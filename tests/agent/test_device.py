"""The torch path on a GPU, where there is one; and on torch's device without numbers, which none can be read from."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.window import respond
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.transition import Transition
from tests.environments.zoo import ACTIONS
from tests.helpers import cartpole_agent, observations

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


class Brought(TorchDispatchMode):
    # notes the shapes of what is copied from the host to a device

    def __init__(self):
        super().__init__()
        self.shapes = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        given = [a for a in args if isinstance(a, torch.Tensor) and a.device.type == "cpu" and a.ndim]
        if given and isinstance(out, torch.Tensor) and out.device.type != "cpu":
            self.shapes += [tuple(a.shape) for a in given]
        return out


STEPS = [
    *((action, {}) for action in ACTIONS),
    ("discrete", {"rule": "rstdp", "modulator": "reward-baseline"}),
    ("discrete", {"rule": "reward-switch", "modulator": "td-spiking", "simulation.fresh_each_window": False}),
    ("discrete", {"network.hidden": (5,)}),
    ("discrete", {"neuron.model": "adex"}),
    ("discrete", {"neuron.model": "izhikevich", "simulation.fresh_each_window": False}),
]


@pytest.mark.parametrize(("action", "settings"), STEPS, ids=str)
def test_an_env_step_brings_observation_and_reward_to_the_device_and_fetches_the_action(action, settings):
    config, spaces = override(AgentConfig(), settings), (gym.spaces.Box(-1.0, 1.0, (3,)), ACTIONS[action])
    agent, obs, nobody = (
        Agent(config, *spaces, seeds=(1, 2), envs=2, device="meta"),
        np.zeros((2, 2, 3)),
        np.zeros((2, 2), bool),
    )
    with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
        agent.begin(obs)
    t = Transition(obs, np.ones((2, 2)), nobody, nobody, None, any_done=False)
    for windows in (2, 3):
        with Brought() as brought, pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
            agent.step(t)
        assert agent.statistics.passed == windows  # counted before the action is fetched: nothing else was
        assert brought.shapes == [(2, 2, 3), (2, 2)]


@needs_gpu
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


@needs_gpu
def test_a_window_does_not_wait_for_the_device():
    agent = cartpole_agent(range(3), 2, device="cuda")
    agent.begin(observations(3, 2))
    network, rates = agent.network, agent.coded(observations(3, 2))
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode("error")  # whatever the host waits for is an error
    try:
        window, network.neurons = respond(agent.parts, rates, agent.random, network.neurons)
        _, gate = agent.decoder.choose(window.rates, window.choice)
        network.remember(window.spikes, gate)
        network.regulate(network.hertz(window.spikes))
        network.learn(agent.m, agent.lr)
        network.clamp()
    finally:
        torch.cuda.set_sync_debug_mode(before)
