"""Networks of several layers on the fused path, against the torch path."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.transition import Transition

VECTOR = gym.spaces.Box(-1.0, 1.0, (4,))
IMAGE = gym.spaces.Box(0, 1, (7, 6, 2), np.uint8)
LINE = {"network.hidden": (20,)}
SPARSE = {"encoder.code": "tiles", "encoder.tilings": 3, "encoder.cells": (2, 2, 2, 3)}
CASES = {
    "one layer": (VECTOR, LINE),
    "two layers of a sparse code": (VECTOR, {"network.hidden": (40, 17), **SPARSE}),
    "feedback": (VECTOR, {"network.hidden": (20, 9), "network.credit": "feedback"}),
    "broadcast": (VECTOR, {**LINE, "network.credit": "broadcast", "network.lr_scale": 0.3}),
    "frozen": (VECTOR, {**LINE, "network.credit": "frozen"}),
    "rstdp": (VECTOR, {"network.hidden": (20, 9), "rule": "rstdp", "plasticity.a_minus": 0.4}),
    "switch of a sparse code": (VECTOR, {**LINE, "rule": "reward-switch", **SPARSE, "plasticity.a_minus": 0.3}),
    "inhibition": (VECTOR, {**LINE, "neuron.lateral_inhibition": 0.05, "neuron.t_ref": 2.0}),
    "dale": (VECTOR, {**LINE, "network.dale": True, "plasticity.w_max": 0.3, "plasticity.w_min": -0.2}),
    "carried": (VECTOR, {"network.hidden": (20, 9), "simulation.fresh_each_window": False, "plasticity.a_minus": 0.4}),
    "carried, sparse": (VECTOR, {**LINE, "simulation.fresh_each_window": False, **SPARSE}),
    "gains": (VECTOR, {**LINE, "homeostasis.param": "gain", "homeostasis.tau": 1000.0, "homeostasis.tau_rate": 100.0}),
    "spiking critic": (VECTOR, {**LINE, "modulator": "td-spiking", "modulation.critic_neurons": 8, **SPARSE}),
    "convolution": (IMAGE, {"network.conv": ((5, 3, 1),)}),
    "convolutions and a layer": (IMAGE, {"network.conv": ((4, 3, 2), (17, 2, 1)), "network.hidden": (10,)}),
    "convolution, rstdp": (IMAGE, {"network.conv": ((5, 3, 2),), "rule": "rstdp", "plasticity.a_minus": 0.4}),
    "convolution, dale": (IMAGE, {"network.conv": ((4, 3, 1), (3, 2, 1)), "network.dale": True, "plasticity.w_max": 0.3}),
    "long windows of a sparse code": (VECTOR, {"network.hidden": (20, 9), "simulation.ticks": 130, **SPARSE}),
    "convolution, long windows": (
        IMAGE, {"network.conv": ((4, 3, 1), (3, 2, 1)), "simulation.ticks": 66, "simulation.fresh_each_window": False},
    ),
    "late": (VECTOR, {**LINE, "network.max_delay": 12.0, "simulation.fresh_each_window": False, **SPARSE}),
    "convolution, late": (IMAGE, {"network.conv": ((4, 3, 1), (3, 2, 1)), "network.max_delay": 3.0, "plasticity.a_minus": 0.4}),
    "convolution, carried": (
        IMAGE, {"network.conv": ((4, 3, 1), (3, 2, 1)), "simulation.fresh_each_window": False, "plasticity.a_minus": 0.4},
    ),
    "convolution, nearest pairs": (
        IMAGE, {"network.conv": ((4, 3, 1), (3, 2, 1)), "plasticity.on_spike": "set", "simulation.fresh_each_window": False},
    ),
    "convolution, inhibition": (IMAGE, {"network.conv": ((5, 3, 1),), "neuron.lateral_inhibition": 0.01}),
    "convolution, threshold": (
        IMAGE,
        {"network.conv": ((5, 3, 1),), "homeostasis.param": "threshold", "homeostasis.tau": 300.0, "homeostasis.floor": 90.0},
    ),
    "convolution, spiking critic": (
        IMAGE, {"network.conv": ((5, 3, 1),), "modulator": "td-spiking", "modulation.critic_neurons": 8},
    ),
}  # fmt: skip


def agents(space, settings, envs, seeds=(3, 4), backends=("torch", "fused")):
    cells = {"encoder.cells": (3, 3, 2, 2)} if space is VECTOR and "encoder.code" not in settings else {}
    config = override(AgentConfig(), {"encoder.code": "place-cells", **cells, **settings})
    actions = gym.spaces.Discrete(3)
    return [Agent(config, space, actions, seeds=seeds, envs=envs, backend=backend) for backend in backends]


def transitions(space):
    def transition(count, envs, i):
        random = np.random.default_rng(i)
        done = random.random((count, envs)) < 0.15
        cut = done & (random.random((count, envs)) < 0.5)
        obs, final = (random.uniform(0, 1.2, (count, envs, *space.shape)).astype(space.dtype) for _ in range(2))
        return Transition(obs, random.normal(size=(count, envs)), done & ~cut, cut, final if cut.any() else None)

    return transition


@pytest.mark.parametrize("envs", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_networks_are_those_of_torch(name, envs):
    space, settings = CASES[name]
    reference, agent = agents(space, settings, envs)
    make = transitions(space)
    start = make(2, envs, 99).obs
    policies = [one.policy(2, (7, 8)) for one in (reference, agent)]
    assert agent.backend == "fused"
    assert np.array_equal(reference.begin(start), agent.begin(start))
    for i in range(14):
        t = make(2, envs, i)
        assert np.array_equal(reference.step(t), agent.step(t)), i
        assert all(torch.equal(a, b) for a, b in zip(reference.spikes(), agent.spikes(), strict=True)), i
        torch.testing.assert_close(agent.m, reference.m, rtol=1e-4, atol=1e-5)
        seen = make(2, 2, i).obs
        assert np.array_equal(*(policy.act(seen, greedy=i % 2 == 0) for policy in policies))
        if i % 6 == 0:
            for one, other in zip(agent.network.layers, reference.network.layers, strict=True):
                torch.testing.assert_close(one.eligibility(), other.eligibility(), rtol=1e-4, atol=1e-5)
    expected, got = reference.tensors(), agent.tensors()
    inside = (".v", ".refractory", ".x", ".y") if agent.config.simulation.fresh_each_window else ()
    names = [n for n in expected if not n.endswith(inside) and not n.startswith(("agent.", "statistics."))]
    assert any(n.startswith("hidden1.weight") for n in names)
    for n in names:
        torch.testing.assert_close(got[n], expected[n], rtol=2e-4, atol=2e-5, msg=lambda text, n=n: f"{n}: {text}")
    moved = agent.network.hidden[0].weight - agents(space, settings, envs)[0].network.hidden[0].weight
    assert (moved.abs().max() > 1e-4) == (settings.get("network.credit") != "frozen")


@pytest.mark.parametrize("name", ["two layers of a sparse code", "convolutions and a layer", "carried, sparse"])
def test_networks_alone_and_in_a_population_have_the_same_bits_and_go_on_from_a_checkpoint(name):
    space, settings = CASES[name]
    make, own = transitions(space), slice(1, 2)
    population, again = (agents(space, settings, 2, (3, 4, 5), ("fused",))[0] for _ in range(2))
    alone = agents(space, settings, 2, (4,), ("fused",))[0]
    start = make(3, 2, 99).obs
    assert np.array_equal(population.begin(start)[own], alone.begin(start[own]))
    for i in range(12):
        t = make(3, 2, i)
        part = Transition(*(None if each is None else each[own] for each in t[:5]))
        assert np.array_equal(population.step(t)[own], alone.step(part)), i
    for n, tensor in alone.tensors().items():
        assert torch.equal(population.tensors()[n][own], tensor), n
    again.load({n: tensor.clone() for n, tensor in population.tensors().items()}, Path())
    for i in range(12, 18):
        t = make(3, 2, i)
        assert np.array_equal(population.step(t), again.step(t)), i
    for n, tensor in population.tensors().items():
        assert torch.equal(again.tensors()[n], tensor), n
