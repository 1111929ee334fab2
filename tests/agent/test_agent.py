import numpy as np
import pytest
import torch

from rstdp_agents.codecs.transition import Transition
from tests.helpers import cartpole_agent, experience, observations

RULES = ["rstdp", "rstdp-et", "reward-switch"]


def transition(agents, envs, seed, done=None):
    random = np.random.default_rng(seed)
    ended = np.zeros((agents, envs), dtype=bool) if done is None else done
    return Transition(observations(agents, envs, seed), random.normal(size=(agents, envs)), ended, np.zeros_like(ended))


@pytest.mark.parametrize("rule", RULES)
def test_same_seed_same_bits(rule):
    first, second = cartpole_agent(range(4), 2, rule=rule), cartpole_agent(range(4), 2, rule=rule)
    assert np.array_equal(experience(first, transition), experience(second, transition))
    for name, tensor in first.tensors().items():
        assert torch.equal(tensor, second.tensors()[name]), name


@pytest.mark.parametrize("rule", RULES)
def test_agent_in_a_population_is_the_agent_alone(rule):
    population, alone = (cartpole_agent(seeds, 2, torch.float64, rule) for seeds in (range(4), [2]))
    together, single = experience(population, transition), experience(alone, transition, rows=slice(2, 3))
    assert np.array_equal(together[:, 2:3], single)
    for name, tensor in alone.tensors().items():
        torch.testing.assert_close(population.tensors()[name][2:3], tensor, rtol=0, atol=1e-12)


def test_random_numbers_of_an_agent_do_not_depend_on_the_population():
    population, alone = cartpole_agent([5, 6, 7]), cartpole_agent([6])
    assert torch.equal(population.random.uniform(100)[1:2], alone.random.uniform(100))
    for _ in range(2):
        both = zip(population.random.windows(3, 10, (5, 2)), alone.random.windows(3, 10, (5, 2)), strict=True)
        assert all(torch.equal(numbers.movedim(-3, 0)[1:2], single.movedim(-3, 0)) for numbers, single in both)


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_reset_makes_one_row_fresh_and_leaves_the_others_to_the_bit(backend):
    carried = {"simulation.fresh_each_window": False}
    agent, fresh = (cartpole_agent(range(2), 3, backend=backend, **carried) for _ in range(2))
    for i in range(5):
        agent.step(transition(2, 3, i)) if i else agent.begin(observations(2, 3))
    before = {name: tensor.clone() for name, tensor in agent.tensors().items()}
    done = np.array([[False, True, False], [False, False, False]])
    agent.reset(done)
    others = "output.rate", "output.offset", "gain.moments", "agent.features", "statistics.sums"
    per_env = [n for n, t in before.items() if t.shape[:2] == (2, 3) and n not in others and not n.startswith("fused.")]
    assert {"output.v", "output.z0", "output.x", "output.y", "critic.trace"} <= set(per_env)
    for name, tensor in agent.tensors().items():
        if name in per_env:
            assert torch.equal(tensor[0, 1], fresh.tensors()[name][0, 1]), name
            assert torch.equal(tensor[~done], before[name][~done]), name
            assert not torch.equal(before[name][0, 1], tensor[0, 1]) or name == "output.refractory", name
        else:
            assert torch.equal(tensor, before[name]), name


def test_frozen_twin_keeps_its_weights_and_its_sibling_does_not():
    agent = cartpole_agent([0, 0], lr_scale=torch.tensor([1.0, 0.0]))
    start = agent.layer.weight.clone()
    agent.begin(observations(2, 1))
    for i in range(20):
        agent.step(transition(2, 1, i))
    assert torch.equal(agent.layer.weight[1], start[1])
    assert not torch.equal(agent.layer.weight[0], start[0])


def test_no_reward_and_no_expectation_change_no_weight():
    agent = cartpole_agent()
    start = agent.layer.weight.clone()
    agent.begin(observations(1, 1))
    for i in range(10):
        t = transition(1, 1, i)
        agent.step(t._replace(reward=np.zeros((1, 1))))
    assert torch.equal(agent.layer.weight, start)


def test_terminal_reward_reaches_the_weights_before_the_traces_are_forgotten():
    agent = cartpole_agent()
    agent.begin(observations(1, 1))
    start, eligible = agent.layer.weight.clone(), agent.layer.pairs.z[0].clone()
    done = np.ones((1, 1), dtype=bool)
    agent.step(Transition(observations(1, 1, 1), np.ones((1, 1)), done, ~done))
    torch.testing.assert_close(agent.layer.weight - start, agent.lr * eligible[:, 0], rtol=0, atol=1e-6)
    later = cartpole_agent()
    later.begin(observations(1, 1))
    later.step(Transition(observations(1, 1, 1), np.ones((1, 1)), ~done, ~done))
    decay = later.layer.rule.decays(10, 1.0)[1]
    torch.testing.assert_close(later.layer.pairs.z[0] - agent.layer.pairs.z[0], decay * eligible, rtol=0, atol=1e-6)


@pytest.mark.parametrize("backend", ["torch", "fused"])
@pytest.mark.parametrize("rule", RULES)
def test_an_env_that_only_started_again_teaches_nothing_and_remembers_nothing(rule, backend):
    restarted = np.array([[False, True, False]])

    def live(reward, skipped):
        """An agent that lived through 6 steps, and then one in which env 1 started again; its tensors before that."""
        agent = cartpole_agent(envs=3, rule=rule, backend=backend, **{"modulation.gain": "fixed"})
        agent.begin(observations(1, 3))
        for i in range(6):
            agent.step(transition(1, 3, i, restarted if i == 5 else None))
        before = {name: tensor.clone() for name, tensor in agent.tensors().items()}
        before["eligibility"] = torch.stack(agent.eligibility())
        t = transition(1, 3, 6)
        rewards = np.where(restarted, reward, t.reward)
        action = agent.step(t._replace(reward=rewards, any_done=False, restarted=skipped))
        return agent, before, action

    taken, _, _ = live(0.5, None)
    agent, before, action = live(0.5, restarted)
    again, _, same_action = live(np.nan, restarted)
    assert np.array_equal(action, same_action)
    for name, tensor in agent.tensors().items():
        assert torch.equal(tensor, again.tensors()[name]), name
    assert agent.m[0, 1] == 0
    assert torch.equal(agent.m[~restarted], taken.m[~restarted])
    assert torch.equal(agent.modulator.trace[~restarted], taken.modulator.trace[~restarted])
    assert not agent.modulator.trace[restarted].any()
    z, factors = before["eligibility"], agent.layer.rule.factors(agent.m)
    change = sum((m[..., None, None] * term).mean(1) for m, term in zip(factors, z, strict=True))
    expected = (before["output.weight"] + agent.lr[:, None, None] * change).clamp(*agent.layer.bounds)
    torch.testing.assert_close(agent.layer.weight, expected, rtol=1e-5, atol=1e-6)
    critic_lr = agent.config.modulation.critic_lr
    share = (agent.m[..., None] * agent.modulator.trace).mean(1)  # zero in the env that started again
    torch.testing.assert_close(
        agent.modulator.weight, before["critic.weight"] + critic_lr * share, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_what_is_eligible_after_a_restart_is_of_the_new_episode_alone(backend):
    restarted, eligible = np.array([[False, True]]), []
    for done in (None, restarted):
        agent = cartpole_agent(envs=2, backend=backend, lr_scale=torch.zeros(1))
        agent.begin(observations(1, 2))
        agent.step(transition(1, 2, 0, done))
        agent.step(transition(1, 2, 1)._replace(restarted=restarted))
        eligible.append(agent.eligibility()[0][0])
    assert torch.equal(eligible[0], eligible[1])


def test_truncation_bootstraps_from_the_true_last_observation():
    def delta(truncated, final):
        agent = cartpole_agent(dtype=torch.float64, **{"modulation.gain": "fixed"})
        agent.begin(np.zeros((1, 1, 4)))
        agent.modulator.weight[:] = torch.linspace(0, 1, 270)
        flags = np.zeros((1, 1), dtype=bool), np.array([[truncated]])
        agent.step(Transition(np.zeros((1, 1, 4)), np.ones((1, 1)), *flags, final_obs=final))
        return agent.m.item()

    last = np.array([[[1.0, 1.0, 0.1, 1.0]]])
    reference = cartpole_agent(dtype=torch.float64)
    reference.modulator.weight[:] = torch.linspace(0, 1, 270)
    v_start, v_last = reference.value(np.zeros((1, 1, 4))).item(), reference.value(last).item()
    assert delta(True, last) == pytest.approx(1 + 0.99 * v_last - v_start)
    assert delta(False, None) == pytest.approx(1 + 0.99 * v_start - v_start)


def test_no_autograd_is_recorded():
    agent = cartpole_agent()
    agent.begin(observations(1, 1))
    agent.step(transition(1, 1, 0))
    assert not any(tensor.requires_grad for tensor in agent.tensors().values())


def test_frozen_policy_acts_without_touching_the_agent():
    agent = cartpole_agent(range(2))
    agent.begin(observations(2, 1))
    before = {name: tensor.clone() for name, tensor in agent.tensors().items()}
    stream = agent.random.state()
    policy = agent.policy(envs=5, seeds=(7, 8))
    actions = [policy.act(observations(2, 5, i), greedy=bool(i % 2)) for i in range(4)]
    assert {a.shape for a in actions} == {(2, 5)}
    assert torch.equal(stream, agent.random.state())
    assert all(torch.equal(tensor, before[name]) for name, tensor in agent.tensors().items())


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_learning_rate_is_half_after_the_episodes_it_was_told(backend):
    settings = {"plasticity.lr": 0.8, "plasticity.lr_halved_after": 4.0}
    agent = cartpole_agent(range(2), 2, rule="rstdp", lr_scale=torch.tensor([1.0, 0.5]), backend=backend, **settings)
    agent.begin(observations(2, 2))
    for i in range(2):
        agent.step(transition(2, 2, i, done=np.array([[True, True], [True, False]])))
    assert agent.episodes.tolist() == [4, 2]
    assert agent.lr.tolist() == pytest.approx([0.4, 0.4 / 1.5])
    other = cartpole_agent(range(2), 2, rule="rstdp", lr_scale=torch.tensor([1.0, 0.5]), backend=backend, **settings)
    for name, tensor in agent.tensors().items():
        other.tensors()[name].copy_(tensor)
    other.begin(observations(2, 2))  # as after loading a checkpoint
    assert torch.equal(other.lr, agent.lr)


@pytest.mark.parametrize(
    ("backend", "changes"),
    [
        ("fused", {"rule": "rstdp-et", "plasticity.a_minus": 0.2, "plasticity.lr_halved_after": 3.0}),
        ("fused", {"rule": "reward-switch", "modulator": "reward-baseline"}),
        ("torch", {"rule": "rstdp-et", "plasticity.a_minus": 0.2, "plasticity.lr_halved_after": 3.0}),
        ("torch", {"rule": "rstdp", "modulator": "td-spiking", "modulation.critic_neurons": 8}),
        ("torch", {"rule": "reward-switch", "simulation.fresh_each_window": False, "homeostasis.param": "threshold"}),
        ("fused", {"modulation.dopamine_neurons": 30, "modulation.tau_dopamine": 20.0}),
        ("torch", {"modulation.dopamine_neurons": 30, "modulation.tau_dopamine": 20.0}),
    ],
)
def test_what_is_loaded_goes_on_in_the_middle_of_an_episode_to_the_bit(backend, changes, tmp_path):
    first, looked_at, other = (
        cartpole_agent(seeds, 2, backend=backend, **changes) for seeds in ((0, 1), (0, 1), (8, 9))
    )
    steps = [transition(2, 2, i) for i in range(40)]
    for agent in (first, looked_at):
        agent.begin(observations(2, 2, 5))
        [agent.step(t) for t in steps[:23]]
    other.load({name: tensor.clone() for name, tensor in looked_at.tensors().items()}, tmp_path)
    for t in steps[23:]:
        action = first.step(t)
        assert np.array_equal(action, looked_at.step(t))
        assert np.array_equal(action, other.step(t))
    for name, tensor in first.tensors().items():
        assert torch.equal(tensor, looked_at.tensors()[name]), name
        assert torch.equal(tensor, other.tensors()[name]), name
    assert torch.equal(other.lr, first.lr)


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_what_is_recorded_stays_what_it_was(backend):
    agent = cartpole_agent(seeds=(0, 1), envs=2, backend=backend)
    obs = observations(2, 2)
    agent.begin(obs)
    seen = []
    for i in range(12):
        agent.step(Transition(observations(2, 2, i), np.ones((2, 2)), *np.zeros((2, 2, 2), bool)))
        now = (*agent.spikes(), *agent.eligibility(), *agent.weights().values())
        seen.append((now, [tensor.clone() for tensor in now]))
    assert all(torch.equal(kept, copy) for now, copies in seen for kept, copy in zip(now, copies, strict=True))
    assert len({spikes[1].numpy().tobytes() for spikes, _ in seen}) > 6
    assert not torch.equal(seen[0][0][-1], seen[-1][0][-1])
    assert torch.equal(agent.weights()["output"], agent.layer.weight)
