"""Dale's law: every neuron's synapses have one sign, through learning, on both backends and in every kind of layer."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.spiking.dale import of_both_signs
from tests.helpers import cartpole_agent, experience, observations

IMAGE = gym.spaces.Box(0, 255, (6, 5), np.uint8)


def transition(agents, envs, seed):
    random, ended = np.random.default_rng(seed), np.zeros((agents, envs), dtype=bool)
    return Transition(observations(agents, envs, seed), random.normal(size=(agents, envs)), ended, ended)


def signs(weight):
    """Smallest and largest weight of the excitatory and of the inhibitory presynaptic neurons."""
    return [(float(some.min()), float(some.max())) for some in (weight[:, :, ::2], weight[:, :, 1::2])]


@pytest.mark.parametrize("backend", ["torch", "fused"])
@pytest.mark.parametrize("code", ["hashed", "place-cells"])
def test_no_synapse_ever_crosses_zero(backend, code):
    agent = cartpole_agent(
        range(4), 2, backend=backend, **{"network.dale": True, "encoder.code": code, "plasticity.lr": 3.0}
    )
    before = agent.layer.weight.clone()
    experience(agent, transition, steps=60)
    (low_e, high_e), (low_i, high_i) = signs(agent.layer.weight)
    assert low_e == 0.0 < high_e
    assert low_i < 0.0 == high_i
    moved = (agent.layer.weight - before)[:, :, ::2], (agent.layer.weight - before)[:, :, 1::2]
    assert all(float(some.min()) < 0 < float(some.max()) for some in moved)


def test_every_input_has_a_neuron_of_either_kind():
    plain, dale = (cartpole_agent(range(4), **{"network.dale": dale}) for dale in (False, True))
    obs = observations(4, 1)
    rates = dale.coded(obs)
    assert rates.shape[-1] == 2 * plain.encoder.size == dale.layer.synapse.pre_shape[0]
    assert torch.equal(rates[..., ::2], plain.coded(obs))
    assert torch.equal(rates[..., 1::2], plain.coded(obs))


def test_channels_of_an_image_are_doubled_whole():
    image = torch.arange(12.0).reshape(1, 1, 12)
    double = of_both_signs(image, (3, 2, 2)).reshape(6, 2, 2)
    assert torch.equal(double[::2].flatten(), image.flatten())
    assert torch.equal(double[1::2], double[::2])


@pytest.mark.parametrize(
    "network", [{"network.hidden": (12, 7)}, {"network.conv": ((3, 3, 1),), "network.hidden": (6,)}]
)
def test_hidden_neurons_obey_it_too(network):
    space = IMAGE if "network.conv" in network else gym.spaces.Box(-1, 1, (3,))
    config = override(AgentConfig(), {"network.dale": True, "network.lr_scale": 30.0, "plasticity.lr": 3.0, **network})
    agent = Agent(config, space, gym.spaces.Discrete(2), seeds=(0, 1))
    random, ended = np.random.default_rng(0), np.zeros((2, 1), dtype=bool)
    see = lambda: random.uniform(0, 255 if space is IMAGE else 1, (2, 1, *space.shape)).astype(space.dtype)  # noqa: E731
    agent.begin(see())
    before = [layer.weight.clone() for layer in agent.network.layers]
    for _ in range(30):
        agent.step(Transition(see(), random.normal(size=(2, 1)), ended, ended))
    for layer, old in zip(agent.network.layers, before, strict=True):
        (low_e, high_e), (low_i, high_i) = signs(layer.weight)
        assert low_e >= 0.0 < high_e
        assert low_i < 0.0 >= high_i
        assert not torch.equal(layer.weight, old)


def test_weights_of_one_sign_alone_are_refused():
    with pytest.raises(ValueError, match=r"`network.dale` needs weights of both signs"):
        override(AgentConfig(), {"network.dale": True, "plasticity.w_min": 0.0})


def test_a_pixel_without_convolutions_has_a_neuron_of_either_sign_and_both_backends_agree():
    config = override(AgentConfig(), {"network.dale": True, "encoder.code": "place-cells", "plasticity.lr": 3.0})
    image, agents = gym.spaces.Box(0, 255, (6, 4), np.uint8), []
    for backend in ("torch", "fused"):
        agents.append(Agent(config, image, gym.spaces.Discrete(2), seeds=(0,), backend=backend))
        random, ended = np.random.default_rng(0), np.zeros((1, 1), dtype=bool)
        agents[-1].begin(random.integers(0, 256, (1, 1, 6, 4), dtype=np.uint8))
        for _ in range(20):
            obs = random.integers(0, 256, (1, 1, 6, 4), dtype=np.uint8)
            agents[-1].step(Transition(obs, random.normal(size=(1, 1)), ended, ended))
    torch.testing.assert_close(agents[0].layer.weight, agents[1].layer.weight, rtol=1e-4, atol=1e-5)
    one = np.zeros((1, 1, 6, 4), np.uint8)
    one[0, 0, 2, 1] = 255
    assert agents[0].coded(one)[0, 0].nonzero()[:, 0].tolist() == [18, 19]
