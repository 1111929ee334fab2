"""The fused path against the torch path, on the same observations, rewards and random numbers."""

import logging

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.fused import threads
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.decoders.build import build_decoder
from rstdp_agents.codecs.decoders.options import DecoderConfig
from rstdp_agents.codecs.encoders import Intensity, OneHot
from rstdp_agents.codecs.encoders.hashed_tiles import HashedTiles, Number
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.spiking.plasticity.update import modulate
from tests.environments.zoo import ACTIONS
from tests.helpers import TWO_ARMS, cartpole_agent, experience, observations

SPARSE = {"encoder.code": "tiles", "encoder.tilings": 3, "encoder.cells": (2, 2, 2, 3)}
OPTIONS = [
    {"rule": "rstdp"},
    {"rule": "rstdp-et"},
    {"rule": "reward-switch"},
    {"rule": "rstdp", "plasticity.a_minus": 0.5, "plasticity.tau_minus": 7.0},
    {"rule": "rstdp-et", "plasticity.a_minus": 0.5},
    {"rule": "reward-switch", "plasticity.a_minus": 0.5},
    {"rule": "reward-switch", "plasticity.a_minus": 0.5, "plasticity.punished_plus": 0.3, "plasticity.punished_minus": 1.7},
    {"modulator": "reward", "modulation.reward_scale": 0.3},
    {"modulator": "reward-baseline"},
    {"decoder.gate": "chosen", "homeostasis.param": "threshold", "homeostasis.tau": 1000.0},
    {"decoder.gate": "none", "homeostasis.param": "none", "plasticity.w_min": -0.02, "plasticity.w_max": 0.02},
    {"neuron.t_ref": 0.0, "neuron.tau_m": 4.0, "homeostasis.tau": 1000.0, "homeostasis.limit": 0.05},
    {"modulation.tau_dopamine": 25.0, "modulation.deadband": 0.05},
    {"modulation.dopamine_neurons": 20, "modulation.dopamine_hz": 30.0, "modulation.tau_dopamine": 25.0, "network.dale": True},
    {"homeostasis.param": "gain", "homeostasis.tau": 1000.0, "homeostasis.tau_rate": 100.0, "homeostasis.floor": 200.0},
    {"homeostasis.scope": "layer", "homeostasis.tau": 1000.0, "homeostasis.tau_rate": 50.0, "decoder.neurons_per_action": 5},
    {"neuron.t_ref": 3.0, "neuron.escape_noise": 0.0, "neuron.v_rest": -0.1, "neuron.v_reset": -0.2, "plasticity.w_init": 0.4},
    {"simulation.ticks": 64, "rule": "rstdp-et", "plasticity.a_minus": 0.5},
    {"simulation.ticks": 7, "simulation.dt": 0.5, "encoder.rate_max": 1900.0, "encoder.cells": (2, 2, 2, 3)},
    {"encoder.floor": 0.05, "modulation.value_init": 5.0, "modulation.deadband": 0.8},
    {"encoder.code": "tiles", "encoder.tilings": 3, "encoder.cells": (2, 2, 2, 3)},
    {"neuron.lateral_inhibition": 0.05, "decoder.neurons_per_action": 12},
    {"decoder.temperature_lr": 0.3, "decoder.exploration_lr": 0.3, "modulation.novelty": 2.0, "modulation.reward_scale": 0.1},
    {"decoder.temperature_lr": 0.0, "decoder.exploration_lr": 0.0, "modulation.novelty": 0.0},
    {"neuron.escape": "exponential", "neuron.escape_noise": 0.3, "neuron.escape_rate": 90.0},
    {"neuron.model": "adex"},
    {"neuron.model": "adex", "homeostasis.param": "threshold", "homeostasis.tau": 1000.0, "decoder.neurons_per_action": 5},
    {"neuron.model": "izhikevich", "homeostasis.tau": 1000.0},
    {"neuron.model": "adex", "simulation.fresh_each_window": False},
    {"neuron.model": "izhikevich", "simulation.fresh_each_window": False, "homeostasis.param": "threshold"},
    {"neuron.model": "alif", "neuron.escape": "exponential", "homeostasis.param": "threshold", "homeostasis.tau": 1000.0},
    {"neuron.model": "alif", "neuron.v_rest": -0.1, "simulation.fresh_each_window": False},
    {"simulation.fresh_each_window": False, "neuron.t_ref": 3.0, "neuron.v_rest": -0.1},
    {"simulation.fresh_each_window": False, "encoder.code": "hashed", "plasticity.a_minus": 0.4, "rule": "reward-switch"},
    {"simulation.fresh_each_window": False, "neuron.lateral_inhibition": 0.05},
    {"network.max_delay": 6.0, "plasticity.a_minus": 0.4},
    {"network.max_delay": 63.0, "simulation.ticks": 100, "simulation.fresh_each_window": False, "encoder.cells": (2, 2, 2, 3)},
    {**SPARSE, "network.max_delay": 60.0, "simulation.ticks": 9, "simulation.fresh_each_window": False},
    {"network.max_delay": 14.0, "plasticity.a_minus": 0.4, "simulation.fresh_each_window": False},
    {"network.max_delay": 14.0, "rule": "rstdp", "simulation.fresh_each_window": False, "plasticity.on_spike": "set"},
    {"rule": "rstdp", "simulation.fresh_each_window": False, "plasticity.a_minus": 0.4},
    {"plasticity.on_spike": "set", "plasticity.a_minus": 0.4, "encoder.rate_max": 900.0},
    {"plasticity.on_spike": "set", "rule": "rstdp", "plasticity.tau_plus": 5.0},
    {"plasticity.on_spike": "set", "rule": "reward-switch", "plasticity.a_minus": 0.4, "simulation.fresh_each_window": False},
    {"plasticity.mu": 0.7, "plasticity.w_min": -0.03, "plasticity.w_max": 0.04},
    {"plasticity.mu": 1.0, "plasticity.w_min": -0.03, "plasticity.w_max": 0.04, "rule": "rstdp", "plasticity.a_minus": 0.4},
    {"plasticity.mu": 1.0, "plasticity.w_min": -0.05, "plasticity.w_max": 0.04, "network.dale": True, "plasticity.w_init": 0.03},
    {"plasticity.mu_plus": 0.6, "plasticity.mu_minus": 1.0, "plasticity.a_minus": 0.4, "plasticity.w_min": -0.05},
    {"plasticity.mu_plus": 1.0, "rule": "reward-switch", "plasticity.a_minus": 0.4, "simulation.fresh_each_window": False},
    {"plasticity.mu_minus": 0.5, "rule": "rstdp", "plasticity.a_minus": 0.4, "plasticity.on_spike": "set"},
    {"simulation.ticks": 64, "plasticity.a_minus": 0.4},
    {"simulation.ticks": 65, "plasticity.a_minus": 0.4},
    {"simulation.ticks": 150, "rule": "rstdp", "simulation.fresh_each_window": False},
    {"simulation.ticks": 128, "rule": "reward-switch", "plasticity.on_spike": "set", "plasticity.a_minus": 0.4},
    {"simulation.ticks": 70, "plasticity.mu_plus": 0.6, "plasticity.on_spike": "set", "simulation.fresh_each_window": False},
    {"network.dale": True, "plasticity.w_init": 0.03, "plasticity.w_min": -0.05, "plasticity.w_max": 0.04},
    {"network.dale": True, "rule": "rstdp", "plasticity.a_minus": 0.4, **SPARSE, "plasticity.w_max": 0.02},
    {"modulator": "reward", "modulation.gain": "fixed", "modulation.novelty": 1.0, "decoder.temperature_lr": 0.02},
    {"modulator": "td-spiking", "modulation.critic_neurons": 8, "modulation.value_init": 2.0, "modulation.tau_reach": 20.0},
    {"modulator": "td-spiking", "modulation.critic_neurons": 8, "encoder.code": "tiles", "encoder.cells": (2, 2, 2, 3)},
    {"modulator": "td-spiking", "modulation.critic_neurons": 8, "simulation.ticks": 90},
    {"modulator": "td-spiking", "modulation.critic_neurons": 16, "network.dale": True, "modulation.critic_hz": 40.0},
]  # fmt: skip
OTHERWISE = ("encoder", "neuron.model", "plasticity.w_min", "plasticity.mu", "network.dale")
"""Of another code; code of its own to compile; and bounds, which act when a row that waits is used."""
OPTIONS += [SPARSE | each for each in OPTIONS if not any(name.startswith(OTHERWISE) for name in each)]
LAZY = {f"output.{name}" for name in ("v", "refractory", "w", "u", "x", "y")}
"""Of a window's inside: both paths start them at rest."""
OUTSIDE = {"agent.episodes"}  # counted by Agent.step, past which these tests reach the engine


def transition(agents, envs, i):
    random = np.random.default_rng(i)
    done = random.random((agents, envs)) < 0.15
    cut = done & (random.random((agents, envs)) < 0.5)
    final = observations(agents, envs, i + 1000) if cut.any() else None
    return Transition(observations(agents, envs, i), random.normal(size=(agents, envs)), done & ~cut, cut, final)


def test_code_for_usual_agents_and_code_for_all_are_both_tested():
    usual = [cartpole_agent(range(1), backend="fused", **options)._backend.arrays["usual"] for options in OPTIONS]
    assert min(usual.count(True), usual.count(False)) > 10


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("envs", [1, 3])
def test_fused_is_torch_to_float_rounding(options, envs):
    reference, agent = (cartpole_agent(range(2), envs, backend=backend, **options) for backend in ("torch", "fused"))
    start = observations(2, envs, 77)
    assert np.array_equal(reference.begin(start), agent._backend.begin(start))
    sums, counted = torch.zeros(2, 3, dtype=torch.float64), [s.sum((0, 2)) for s in reference.spikes()]
    for i in range(25):
        t = transition(2, envs, i)
        eligible = tuple(z.clone() for z in reference.eligibility())
        assert np.array_equal(reference.step(t), agent._backend.step(t)), i
        assert all(torch.equal(a, b) for a, b in zip(reference.spikes(), agent.spikes(), strict=True)), i
        torch.testing.assert_close(agent.m, reference.m, rtol=1e-4, atol=1e-5)
        dw = reference.lr[:, None, None] * modulate(eligible, reference.layer.rule.factors(reference.m))
        sums += torch.stack([agent.m.mean(1), agent.m.square().mean(1), dw.square().mean((1, 2))], 1)
        counted = [total + s.sum((0, 2)) for total, s in zip(counted, reference.spikes(), strict=True)]
        if i % 10 == 0:  # looking at the eligibility in between must not change what follows
            torch.testing.assert_close(agent.eligibility(), reference.eligibility(), rtol=1e-4, atol=1e-5)
    if not agent._backend.arrays["dense"]:  # measures an update now and then
        sums[:, 2] = agent.statistics.sums[:, 2]
    torch.testing.assert_close(agent.statistics.sums, sums, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(agent.statistics.spikes[1], counted[1], rtol=0, atol=0)
    torch.testing.assert_close(agent.statistics.spikes[0], counted[0], rtol=0, atol=0)
    assert agent.statistics.windows == 26
    expected, got = reference.tensors(), agent.tensors()
    waiting = (f"output.{name}" for name in ("touched", "queue", "queued", "joined", "owed"))
    rows = "owed_by_critic", *waiting, *(f"kept{i}" for i in range(6))
    listed = "counters", "index", "value", "many", "output.power", "output.pending"
    listed = *listed, *(("output.age",) if agent._backend.arrays["dense"] else rows)
    assert got.keys() - expected.keys() == {f"fused.{name}" for name in listed}
    counted_otherwise = {name for name in expected if name.startswith(("agent.", "statistics."))}
    inside = LAZY if agent.config.simulation.fresh_each_window else set()
    for name in expected.keys() - inside - OUTSIDE - counted_otherwise:
        torch.testing.assert_close(got[name], expected[name], rtol=1e-4, atol=1e-5, msg=name)


def test_soft_bounds_of_a_sparse_code_are_those_of_torch_to_second_order_in_the_learning_rate():
    bounds = SPARSE | {"plasticity.w_min": -0.1, "plasticity.w_max": 0.1, "modulator": "reward", "decoder.gate": "none"}

    def learnt(backend, mu, lr):
        agent = cartpole_agent([0, 1], backend=backend, **bounds, **{"plasticity.mu": mu, "plasticity.lr": lr})
        agent.begin(observations(2, 1, 77))
        for i in range(40):
            agent.step(transition(2, 1, i))
        return agent.layer.weight

    late = [(learnt("fused", 1.0, lr) - learnt("torch", 1.0, lr)).abs().max() for lr in (0.05, 0.1)]
    softened = (learnt("fused", 0.0, 0.05) - learnt("torch", 1.0, 0.05)).abs().max()
    assert late[0] < 0.1 * softened
    assert late[1] > 2.5 * late[0]


@pytest.mark.parametrize("rule", ["rstdp", "rstdp-et", "reward-switch"])
def test_agent_alone_and_in_a_population_has_the_same_bits(rule):
    population, again = (cartpole_agent(range(4), 2, rule=rule, backend="fused") for _ in range(2))
    alone = cartpole_agent([2], 2, rule=rule, backend="fused")
    together = experience(population, transition)
    assert np.array_equal(together, experience(again, transition))
    assert np.array_equal(together[:, 2:3], experience(alone, transition, rows=slice(2, 3)))
    for name, tensor in alone.tensors().items():
        assert torch.equal(population.tensors()[name][2:3], tensor), name
        assert torch.equal(population.tensors()[name], again.tensors()[name]), name


def test_inputs_of_a_dense_code_that_were_not_active_in_the_episode_are_left_alone():
    agent = cartpole_agent([0], backend="fused", **{"encoder.floor": 0.3, "modulator": "reward", "plasticity.lr": 0.1})
    learning, quiet = agent._backend.arrays["layers"][0]["age"][0], np.zeros((1, 1), dtype=bool)
    agent.begin(observations(1, 1))
    agent.step(Transition(observations(1, 1, 4), np.ones((1, 1)), quiet, quiet))
    agent.step(Transition(observations(1, 1, 1), np.ones((1, 1)), ~quiet, quiet))
    active = (agent.features()[0, 0] > 0).numpy()
    assert np.array_equal(learning > 0, active)
    for i in range(3):
        agent.step(Transition(observations(1, 1, i), np.ones((1, 1)), quiet, quiet))
        active |= (agent.features()[0, 0] > 0).numpy()
    assert np.array_equal(learning > 0, active)
    assert 0 < active.sum() < len(active)


@pytest.mark.parametrize("dense", [True, False])
def test_eligibility_that_somebody_writes_is_learnt(dense):
    code = {"encoder.floor": 0.3} if dense else {"encoder.code": "tiles", "encoder.tilings": 3}
    agent = cartpole_agent([0], backend="fused", **code, **{"modulator": "reward", "plasticity.lr": 0.001})
    assert agent._backend.arrays["dense"] == dense
    quiet = np.zeros((1, 1), dtype=bool)
    agent.begin(observations(1, 1))
    for i in range(3):
        agent.step(Transition(observations(1, 1, i), np.ones((1, 1)), quiet, quiet))
    agent.layer.eligibility()[0].fill_(0.5)
    before = agent.layer.weight.clone()
    agent.step(Transition(observations(1, 1), np.ones((1, 1)), quiet, quiet))
    torch.testing.assert_close(agent.layer.weight, before + agent.lr.item() * agent.m.item() * 0.5)


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr(threads, "WORTH_SPLITTING", 1)
    alone, split = (cartpole_agent(range(4), 2, backend="fused", threads=threads) for threads in (1, 3))
    assert split.backend == "fused"
    assert split._backend._threads._parts == [(0, 1), (1, 2), (2, 4)]
    assert np.array_equal(experience(alone, transition), experience(split, transition))
    assert all(torch.equal(alone.tensors()[name], tensor) for name, tensor in split.tensors().items())


@pytest.mark.parametrize("space", [gym.spaces.Discrete(5, start=-2), gym.spaces.Box(-1.0, 3.0, (2, 2))], ids=str)
@pytest.mark.parametrize("outputs", [2, 3])
def test_other_codes_are_those_of_torch(space, outputs):
    encoder = Intensity(space.low, space.high) if isinstance(space, gym.spaces.Box) else None
    settings = {
        "decoder.neurons_per_action": 8,
        "encoder.rate_max": 400.0,
    }  # 24 neurons: the last eight lanes are empty
    config, actions = override(AgentConfig(), settings), gym.spaces.Discrete(outputs, start=1)
    reference, agent = (
        Agent(config, space, actions, seeds=(3, 4), envs=2, backend=backend, encoder=encoder)
        for backend in ("torch", "fused")
    )
    space.seed(0)
    none, reward = np.zeros((2, 2), dtype=bool), np.ones((2, 2))
    for i in range(12):
        obs = np.array([space.sample() for _ in range(4)]).reshape(2, 2, *space.shape)
        if i == 0:
            assert np.array_equal(reference.begin(obs), agent._backend.begin(obs))
        else:
            t = Transition(obs, reward, none, none, None, False)
            assert np.array_equal(reference.step(t), agent._backend.step(t))
        assert all(torch.equal(a, b) for a, b in zip(reference.spikes(), agent.spikes(), strict=True)), i
    torch.testing.assert_close(agent.layer.weight, reference.layer.weight, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(agent.layer.homeostasis.rate, reference.layer.homeostasis.rate, rtol=1e-4, atol=1e-4)


class AllOn(OneHot):
    """Every neuron fires for every value."""

    def rates(self, obs):
        return torch.ones_like(super().rates(obs))


class Shifted(HashedTiles):
    """What the next number to the right would activate."""

    def rates(self, obs):
        return super().rates(obs + 1.0)


@pytest.mark.parametrize(
    ("encoder", "space"),
    [
        (lambda: AllOn(5), gym.spaces.Discrete(5)),
        (lambda: Shifted([Number(0, 0.0, 9.0, True)]), gym.spaces.Discrete(9)),
    ],
    ids=["one-hot", "tiles"],
)
def test_encoders_derived_from_those_that_list_what_is_active_are_asked_themselves(encoder, space):
    reference, agent = (
        Agent(AgentConfig(), space, TWO_ARMS, seeds=(3,), backend=backend, encoder=encoder())
        for backend in ("torch", "fused")
    )
    obs, none = np.array([[2]]), np.zeros((1, 1), dtype=bool)
    assert np.array_equal(reference.begin(obs), agent.begin(obs))
    for i in range(5):
        t = Transition(np.array([[i % 5]]), np.ones((1, 1)), none, none)
        assert np.array_equal(reference.step(t), agent.step(t))
        assert all(torch.equal(a, b) for a, b in zip(reference.spikes(), agent.spikes(), strict=True)), i
    torch.testing.assert_close(agent.layer.weight, reference.layer.weight, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(1,), (2, 3)], ids=str)
def test_continuous_actions_are_those_of_torch(shape):
    config = override(AgentConfig(), {"decoder.neurons_per_action": 7, "encoder.rate_max": 300.0})
    low, high = (
        np.full(shape, -3.0, np.float32),
        np.linspace(1.0, 2.0, int(np.prod(shape)), dtype=np.float32).reshape(shape),
    )
    spaces = gym.spaces.Discrete(5), gym.spaces.Box(low, high)
    reference, agent = (Agent(config, *spaces, seeds=(3, 4), envs=2, backend=backend) for backend in ("torch", "fused"))
    random, none = np.random.default_rng(0), np.zeros((2, 2), dtype=bool)
    for i in range(12):
        obs, reward = random.integers(5, size=(2, 2)), random.normal(size=(2, 2))
        t = Transition(obs, reward, none, none, None, False)
        if i == 0:
            expected, action = reference.begin(obs), agent._backend.begin(obs)
        else:
            expected, action = reference.step(t), agent._backend.step(t)
        assert action.shape == (2, 2, *shape)
        np.testing.assert_allclose(action, expected, rtol=1e-4, atol=1e-5)
        assert all(torch.equal(a, b) for a, b in zip(reference.spikes(), agent.spikes(), strict=True)), i
    torch.testing.assert_close(agent.eligibility(), reference.eligibility(), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(agent.layer.weight, reference.layer.weight, rtol=1e-4, atol=1e-5)


def test_what_it_cannot_do_falls_back_to_torch_and_says_so(caplog):
    with caplog.at_level(logging.DEBUG, logger="rstdp_agents"):
        agent = cartpole_agent(backend="auto", dtype=torch.float64)
    assert agent.backend == "torch"
    assert [record.message for record in caplog.records] == [
        "the fused backend is not used: it runs float32 on the CPU, not torch.float64 on cpu"
    ]
    assert cartpole_agent(backend="auto").backend == "fused"
    with pytest.raises(ValueError, match=r"the fused backend cannot run this agent: it runs float32 on the CPU"):
        cartpole_agent(backend="fused", dtype=torch.float64)


@pytest.mark.parametrize("name", ["discrete", "multi-discrete", "dict"])
@pytest.mark.parametrize("masked", [False, True])
def test_components_and_masks_are_those_of_torch(name, masked):
    space, seen = ACTIONS[name], gym.spaces.Discrete(4)
    entries = build_decoder(space, DecoderConfig()).actions
    observation = gym.spaces.Dict(seen=seen, action_mask=gym.spaces.MultiBinary(entries)) if masked else seen
    config = override(AgentConfig(), {"decoder.neurons_per_action": 5, "encoder.rate_max": 400.0})
    reference, agent = (Agent(config, observation, space, seeds=(3, 4), envs=2, backend=b) for b in ("torch", "fused"))
    random, none, rows = np.random.default_rng(0), np.zeros((2, 2), dtype=bool), Rows(observation)
    frozen = [one.policy(2, (5, 6)) for one in (reference, agent)]
    for i in range(12):
        reward = random.normal(size=(2, 2))
        values, masks = random.integers(4, size=4), random.random((4, entries)) < 0.5
        each = [{"seen": v, "action_mask": m} if masked else v for v, m in zip(values, masks, strict=True)]
        obs = rows.array(each)
        t = Transition(obs.reshape(2, 2, *obs.shape[1:]), reward, none, none, None, False)
        expected, action = (one.step(t) if i else one.begin(t.obs) for one in (reference, agent))
        np.testing.assert_allclose(action, expected, rtol=1e-4, atol=1e-5)
        assert all(torch.equal(a, b) for a, b in zip(reference.spikes(), agent.spikes(), strict=True)), i
        greedy = [policy.act(t.obs, greedy=bool(i % 2)) for policy in frozen]
        np.testing.assert_allclose(*greedy, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(agent.eligibility(), reference.eligibility(), rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(agent.layer.weight, reference.layer.weight, rtol=1e-4, atol=1e-5)
