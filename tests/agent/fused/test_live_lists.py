"""A sparse code: compiled code visits only the inputs that have something to learn."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.transition import Transition

SPACES = gym.spaces.Box(-1.0, 1.0, (1,)), gym.spaces.Discrete(3)
OPTIONS = [
    {"rule": "rstdp-et"},
    {"rule": "rstdp", "plasticity.a_minus": 0.3},
    {"rule": "reward-switch", "plasticity.a_minus": 0.3, "plasticity.tau_e": 5.0},
    {"rule": "rstdp-et", "modulator": "reward-baseline", "plasticity.tau_e": 3.0},
    {"rule": "rstdp-et", "modulation.lambda_": 0.0, "plasticity.tau_e": 2.0, "modulation.deadband": 0.3},
]


def sparse(backend="fused", seeds=(0, 1), envs=3, **changes):
    """Agents with tiles over one number, of which few are active at a time."""
    config = override(AgentConfig(), {"plasticity.lr": 0.3, "decoder.neurons_per_action": 5, **changes})
    return Agent(config, *SPACES, seeds=seeds, envs=envs, backend=backend)


def seen(i, agents=2, envs=3):
    return np.random.default_rng(i).normal(0.0, 0.6, (agents, envs, 1)).astype(np.float32)


def transition(i, agents=2, envs=3, done=0.15):
    random = np.random.default_rng(i + 500)
    ended = random.random((agents, envs)) < done
    cut = ended & (random.random((agents, envs)) < 0.5)
    final = seen(i + 900, agents, envs) if cut.any() else None
    return Transition(seen(i, agents, envs), random.normal(size=(agents, envs)), ended & ~cut, cut, final)


def live(agent, steps, first=0, look=lambda agent: None):
    actions = []
    for i in range(first, first + steps):
        actions.append(agent.step(transition(i)) if i else agent.begin(seen(1000)))
        look(agent)
    return np.stack(actions)


def same_bits(agent, other):
    return [name for name, tensor in agent.tensors().items() if not torch.equal(tensor, other.tensors()[name])]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_sparse_agent_is_that_of_torch_over_many_episodes(options):
    reference, agent = (sparse(backend, **options) for backend in ("torch", "fused"))
    assert not agent._backend.arrays["dense"]
    assert np.array_equal(live(reference, 60), live(agent, 60))
    assert all(torch.equal(a, b) for a, b in zip(reference.spikes(), agent.spikes(), strict=True))
    expected, got = reference.tensors(), agent.tensors()
    for name in expected.keys() - {"output.v", "output.refractory", "output.x", "output.y"}:
        if not name.startswith(("agent.", "statistics.")):
            torch.testing.assert_close(got[name], expected[name], rtol=1e-3, atol=1e-5, msg=name)
    torch.testing.assert_close(agent.features(), expected["agent.features"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_what_was_saved_goes_on_with_the_same_bits(options, tmp_path):
    whole, first, second = (sparse(**options) for _ in range(3))
    live(whole, 40)
    live(first, 20)
    second.load({name: tensor.clone() for name, tensor in first.tensors().items()}, tmp_path / "x")
    live(second, 20, first=20)
    assert same_bits(second, whole) == []


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_looking_changes_no_bit(options):
    agent, watched = sparse(**options), sparse(**options)
    policy = watched.policy(2, (7, 8))

    def look(agent):
        agent.tensors(), agent.eligibility(), agent.spikes(), agent.features(), agent.value(seen(3))
        policy.act(seen(4, envs=2), greedy=True)

    assert np.array_equal(live(agent, 30), live(watched, 30, look=look))
    assert same_bits(watched, agent) == []


def test_an_agent_alone_has_the_bits_that_it_has_in_a_population():
    several, alone = sparse(seeds=(3, 4)), sparse(seeds=(4,))
    alone.begin(seen(1000)[1:])
    several.begin(seen(1000))
    for i in range(1, 25):
        t = transition(i)
        rows = {name: value[1:] for name, value in t._asdict().items() if isinstance(value, np.ndarray)}
        assert np.array_equal(several.step(t)[1:], alone.step(t._replace(**rows)))
    for name, tensor in alone.tensors().items():
        assert torch.equal(several.tensors()[name][1:], tensor), name


def listed(agent, a=0):
    arrays = agent._backend.arrays
    return set(arrays["live"][a, : arrays["rows"][a]].tolist())


def active(agent, a=0):
    return set(agent.features()[a].sum(0).nonzero()[:, 0].tolist())


def test_inputs_retire_when_nothing_of_them_is_left():
    brief = {"rule": "rstdp", "modulator": "reward", "modulation.lambda_": 0.0}
    agent = sparse(**brief, seeds=(0,), envs=2)
    assert agent._backend.arrays["constants"]["lifetime"][0] == 2
    agent.begin(seen(0, 1, 2))
    first = active(agent)
    agent.step(transition(1, 1, 2, done=0.0))
    assert listed(agent) == first | active(agent)
    for i in range(2, 12):
        agent.step(transition(i, 1, 2, done=0.0))
        assert listed(agent) == active(agent)
    slow = sparse(seeds=(0,), **{"plasticity.tau_e": 20.0, "modulation.lambda_": 0.5})
    decay = max(np.exp(-10 / 20.0), 0.99 * 0.5)
    assert slow._backend.arrays["constants"]["lifetime"][0] == np.ceil(np.log(1e-8) / np.log(decay))


def test_what_is_listed_is_what_has_a_trace_and_the_end_of_all_episodes_empties_the_list():
    agent = sparse(seeds=(0,), envs=2)
    agent.begin(seen(0, 1, 2))
    everything = active(agent)
    for i in range(1, 10):
        agent.step(transition(i, 1, 2, done=0.0))
        everything |= active(agent)
    assert listed(agent) == everything
    traced = set(agent.modulator.trace[0].any(0).nonzero()[:, 0].tolist())
    assert traced <= everything
    agent.step(transition(10, 1, 2, done=1.0))
    assert listed(agent) == active(agent)
    assert not agent.modulator.trace.any()
    agent._backend.sync()
    eligible = set(agent.eligibility()[0][0].any(0).any(0).nonzero()[:, 0].tolist())
    assert eligible <= active(agent)  # of the window that follows
