"""A sparse code: compiled code brings rows up to date when their input is active, and nobody can tell."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.fused.lazy_rows import RING
from rstdp_agents.agent.fused.synapse_pass import MEASURED
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.transition import Transition

SPACES = gym.spaces.Box(-1.0, 1.0, (1,)), gym.spaces.Discrete(3)
OPTIONS = [
    {"rule": "rstdp-et"},
    {"rule": "rstdp", "plasticity.a_minus": 0.3},
    {"rule": "reward-switch", "plasticity.a_minus": 0.3, "plasticity.tau_e": 5.0},
    {"rule": "rstdp-et", "modulator": "reward-baseline", "plasticity.tau_e": 3.0},
    {"rule": "rstdp-et", "modulation.lambda_": 0.0, "plasticity.tau_e": 2.0, "modulation.deadband": 0.3},
    {"rule": "rstdp-et", "simulation.fresh_each_window": False, "plasticity.a_minus": 0.3, "plasticity.tau_plus": 7.0},
    {"rule": "rstdp-et", "modulator": "td-spiking", "modulation.critic_neurons": 6},
    {
        "rule": "rstdp-et",
        "modulator": "td-spiking",
        "modulation.critic_neurons": 8,
        "network.dale": True,
        "modulation.tau_reach": 10.0,
        "plasticity.lr": 0.0,
    },
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
        shape = agent.agents, agent.envs
        actions.append(agent.step(transition(i, *shape)) if i else agent.begin(seen(1000, *shape)))
        look(agent)
    return np.stack(actions)


def same_bits(agent, other):
    return [name for name, tensor in agent.tensors().items() if not torch.equal(tensor, other.tensors()[name])]


@pytest.mark.parametrize("envs", [1, 3])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_sparse_agent_is_that_of_torch_over_many_episodes(options, envs):
    reference, agent = (sparse(backend, envs=envs, **options) for backend in ("torch", "fused"))
    assert not agent._backend.arrays["dense"]
    assert np.array_equal(live(reference, 60), live(agent, 60))
    assert all(torch.equal(a, b) for a, b in zip(reference.spikes(), agent.spikes(), strict=True))
    expected, got = reference.tensors(), agent.tensors()
    inside = {"output.v", "output.refractory", "output.x", "output.y"}  # of a window, unless it goes on
    for name in expected.keys() - (inside if agent.config.simulation.fresh_each_window else set()):
        if not name.startswith(("agent.", "statistics.")):
            torch.testing.assert_close(got[name], expected[name], rtol=1e-3, atol=1e-5, msg=name)
    torch.testing.assert_close(agent.features(), expected["agent.features"], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("envs", [1, 3])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_what_was_saved_goes_on_with_the_same_bits(options, envs, tmp_path):
    whole, first, second = (sparse(envs=envs, **options) for _ in range(3))
    live(whole, 40)
    live(first, 20)
    second.load({name: tensor.clone() for name, tensor in first.tensors().items()}, tmp_path / "x")
    live(second, 20, first=20)
    assert same_bits(second, whole) == []


@pytest.mark.parametrize("envs", [1, 3])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_looking_changes_no_bit(options, envs):
    agent, watched = sparse(envs=envs, **options), sparse(envs=envs, **options)
    policy = watched.policy(2, (7, 8))

    def look(agent):
        agent.tensors(), agent.eligibility(), agent.spikes(), agent.features(), agent.value(seen(3, 2, envs))
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


def waiting(agent, a=0):
    """Inputs whose rows wait, by going through the queue."""
    arrays = agent._backend.arrays["layers"][0]
    first, last, _ = arrays["queued"][a]
    assert arrays["joined"][a].sum() == last - first
    queue = arrays["queue"][a]
    listed = {int(queue[place % len(queue)]) for place in range(first, last)}
    found = set(np.flatnonzero(arrays["touched"][a] >= 0).tolist())
    assert found <= listed
    return found


def active(agent, a=0):
    return set(agent.features()[a].sum(0).nonzero()[:, 0].tolist())


def test_rows_wait_until_nothing_of_them_is_left():
    brief = {"rule": "rstdp", "modulator": "reward", "modulation.lambda_": 0.0}
    agent = sparse(**brief, seeds=(0,), envs=2)
    assert agent._backend.arrays["constants"]["lifetime"][0] == 2
    agent.begin(seen(0, 1, 2))
    before = active(agent)
    for i in range(1, 12):
        agent.step(transition(i, 1, 2, done=0.0))
        assert waiting(agent) == before | active(agent)
        before = active(agent)
    slow = sparse(seeds=(0,), **{"plasticity.tau_e": 20.0, "modulation.lambda_": 0.5})
    decay = max(np.exp(-10 / 20.0), 0.99 * 0.5)
    assert slow._backend.arrays["constants"]["lifetime"][0] == np.ceil(np.log(1e-8) / np.log(decay))


def test_rows_that_wait_are_those_with_a_trace_and_the_end_of_the_episode_settles_them():
    agent = sparse(seeds=(0,), envs=1)
    agent.begin(seen(0, 1, 1))
    everything = active(agent)
    for i in range(1, 10):
        agent.step(transition(i, 1, 1, done=0.0))
        everything |= active(agent)
    assert waiting(agent) == everything
    assert set(agent.modulator.trace[0].any(0).nonzero()[:, 0].tolist()) <= everything
    agent.step(transition(10, 1, 1, done=1.0))
    assert waiting(agent) == active(agent)
    assert not agent.modulator.trace.any()
    assert set(agent.eligibility()[0][0].any(0).any(0).nonzero()[:, 0].tolist()) <= active(
        agent
    )  # of the window that follows


SLOW = {"plasticity.tau_e": 3000.0, "modulation.lambda_": 1.0, "modulation.gamma": 1.0, "modulation.critic_lr": 0.01}


@pytest.mark.parametrize(
    "options", [SLOW, {**SLOW, "rule": "reward-switch", "plasticity.a_minus": 0.3}], ids=["et", "switch"]
)
def test_traces_that_outlast_the_longest_wait_are_those_of_torch(options):
    steps = 2 * RING + 30
    options = {"seeds": (0,), "envs": 2, "plasticity.lr": 0.01, **options}
    reference, agent = (sparse(backend, **options) for backend in ("torch", "fused"))
    for each in (reference, agent):
        each.begin(seen(1000, 1, 2))
        for i in range(1, steps):
            each.step(transition(i, 1, 2, done=0.0))
    assert len(waiting(agent)) > len(active(agent))
    torch.testing.assert_close(agent.layer.weight, reference.layer.weight, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(agent.modulator.weight, reference.modulator.weight, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(agent.eligibility(), reference.eligibility(), rtol=1e-3, atol=1e-4)


def test_bounds_act_when_an_input_is_active_and_hold_for_whoever_looks():
    narrow = {"plasticity.w_min": -0.01, "plasticity.w_max": 0.01, "plasticity.lr": 30.0}
    agent, looser = sparse(**narrow), sparse(**{"plasticity.lr": 30.0})
    for each in (agent, looser):
        live(each, 30)
    weight = agent.layer.weight
    assert weight.aminmax() == pytest.approx((-0.01, 0.01))
    assert looser.layer.weight.abs().max() > 0.05


def test_the_update_is_measured_now_and_then_for_all_that_are_not():
    agent, looked = sparse(seeds=(0,), envs=1, **{"plasticity.lr": 0.01}), []
    agent.begin(seen(1000, 1, 1))
    before = agent.layer.weight.clone()
    for i in range(1, 4 * MEASURED):
        agent.step(transition(i, 1, 1, done=0.0))
        now = agent.layer.weight.clone()
        looked.append((now - before).square().mean().item())
        before = now
    sums = agent.statistics.sums[0, 2].item()
    assert sums == pytest.approx(MEASURED * sum(looked[MEASURED - 1 :: MEASURED]), rel=1e-3)


def test_what_somebody_writes_between_two_steps_counts():
    agent, reference = sparse(), sparse("torch")
    for each in (agent, reference):
        live(each, 12)
        each.layer.weight.mul_(0.5)
        each.modulator.weight.add_(0.1)
        for i in range(12, 20):
            each.step(transition(i))
    torch.testing.assert_close(agent.layer.weight, reference.layer.weight, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(agent.modulator.weight, reference.modulator.weight, rtol=1e-3, atol=1e-5)


def test_agents_that_get_constants_on_the_way_lose_nothing():
    agent, same = sparse(**SLOW), sparse(**SLOW)
    for each in (agent, same):
        live(each, 50)
    agent.tensors()  # somebody looks
    agent.adopt(slice(0, 2), same.config)
    for each in (agent, same):
        live(each, 30, first=50)
    torch.testing.assert_close(agent.layer.weight, same.layer.weight, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(agent.modulator.weight, same.modulator.weight, rtol=1e-4, atol=1e-6)
    agent.adopt(slice(0, 1), override(same.config, {"plasticity.tau_e": 4.0, "modulation.lambda_": 0.1}))
    live(agent, 60, first=80)
    arrays = agent._backend.arrays
    brief, slow = arrays["constants"]["lifetime"]
    assert brief < 10 < RING < slow
    assert not arrays["layers"][0]["joined"][0, brief:].any()  # nobody waits in a slot that no step comes to
    assert len(waiting(agent, 0)) < len(waiting(agent, 1))


def test_a_step_touches_what_is_active_and_nothing_else():
    agent = sparse(seeds=(0,), envs=1)
    agent.begin(seen(1000, 1, 1))
    arrays = agent._backend.arrays["layers"][0]
    for i in range(1, 40):
        before = arrays["weight"].copy()
        agent.step(transition(i, 1, 1, done=0.0))
        changed = set(np.flatnonzero((arrays["weight"] != before)[0].any(1)).tolist())
        assert changed <= active(agent)


@pytest.mark.parametrize("envs", [1, 3])
def test_traces_that_linger_for_long_lose_no_row(envs):
    """Windows of one tick: a trace lasts for hundreds of them, so that far more rows are in use than inputs are active."""
    lasting = {
        "simulation.ticks": 1,
        "simulation.fresh_each_window": False,
        "plasticity.tau_plus": 200.0,
        "plasticity.lr": 0.03,
    }
    reference, agent = (sparse(backend, envs=envs, **lasting) for backend in ("torch", "fused"))
    queue = agent._backend.arrays["layers"][0]["queue"].shape[1]
    joined = 0
    for i in range(150):
        shape = agent.agents, agent.envs
        actions = [
            a.step(transition(i, *shape, done=0.003)) if i else a.begin(seen(1000, *shape)) for a in (reference, agent)
        ]
        assert np.array_equal(*actions)
        joined += int(agent._backend.arrays["layers"][0]["joined"][0].max())
    assert joined > queue / 4
    for name in ("output.weight", "critic.weight", "critic.trace", "output.x", "output.y"):
        torch.testing.assert_close(agent.tensors()[name], reference.tensors()[name], rtol=1e-3, atol=1e-5, msg=name)
