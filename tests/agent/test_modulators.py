import math

import pytest
import torch

from rstdp_agents.agent.modulators import ModulatorConfig, Step, build_modulator

F64, CPU = torch.float64, torch.device("cpu")


def modulator(name, **settings):
    return build_modulator(name, ModulatorConfig(**settings), (1, 1, 2), CPU, F64)


def step(reward, terminated=0.0, now=(1.0, 0.0), after=(0.0, 1.0)):
    return Step(*(torch.tensor([[v]], dtype=F64) for v in (reward, terminated, now, after)))


def test_reward_passes_through():
    assert modulator("reward", reward_scale=0.5)(step(3.0)).item() == 1.5


def test_baseline_follows_the_mean_reward():
    baseline = modulator("reward-baseline", tau_baseline=10.0)
    expected, r_bar = [], 0.0
    for _ in range(3):
        expected.append(1.0 - r_bar)
        r_bar += 0.1 * (1.0 - r_bar)
    assert [baseline(step(1.0)).item() for _ in range(3)] == pytest.approx(expected)


def test_td_error_and_critic_follow_their_equations():
    td = modulator("td", gamma=0.9, lambda_=0.5, critic_lr=0.1)
    assert td(step(1.0)).item() == 1.0  # V = 0 everywhere
    assert td.weight[0].tolist() == pytest.approx([0.1, 0.0])
    assert td(step(1.0)).item() == pytest.approx(1.0 + 0.9 * 0.0 - 0.1)
    trace = 1.0 + 0.9 * 0.5 * (1.0 - 0.1)
    assert td.trace[0, 0].tolist() == pytest.approx([trace, 0.0])
    assert td.weight[0, 0].item() == pytest.approx(0.1 + 0.1 * 0.9 * trace)


def test_termination_does_not_bootstrap_and_truncation_does():
    td = modulator("td", gamma=0.9)
    td.weight[:] = torch.tensor([[2.0, 5.0]], dtype=F64)
    assert td(step(1.0, terminated=1.0)).item() == pytest.approx(1.0 - 2.0)
    td.weight[:] = torch.tensor([[2.0, 5.0]], dtype=F64)
    assert td(step(1.0, terminated=0.0)).item() == pytest.approx(1.0 + 0.9 * 5.0 - 2.0)


def test_critic_learns_the_return_of_a_two_state_chain():
    td = modulator("td", gamma=0.9, lambda_=0.5, critic_lr=0.1)
    done = torch.ones(1, 1, dtype=torch.bool)
    for _ in range(400):
        td(step(1.0, 0.0, now=(1.0, 0.0), after=(0.0, 1.0)))
        td(step(2.0, 1.0, now=(0.0, 1.0), after=(1.0, 0.0)))
        td.reset(done)
    assert td.weight[0].tolist() == pytest.approx([1.0 + 0.9 * 2.0, 2.0], abs=1e-6)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gamma", 1.5),
        ("lambda_", -0.1),
        ("gamma", math.nan),
        ("tau_baseline", 0.0),
        ("tau_gain", 0.5),
        ("gain", "loud"),
        ("deadband", -1.0),
        ("value_init", math.inf),
    ],
)
def test_impossible_parameters_are_refused(field, value):
    with pytest.raises(ValueError, match=f"`{field}`"):
        ModulatorConfig(**{field: value})


@pytest.mark.parametrize("name", ["td", "reward", "reward-baseline"])
def test_nothing_is_learnt_from_an_env_that_only_started_again(name):
    def learnt(reward, restarted):
        """Modulator and state of one agent after a step that both of its envs take, and one of which only the first does."""
        m = build_modulator(name, ModulatorConfig(), (1, 2, 2), CPU, F64)
        features = torch.tensor([[[0.7, 0.3], [0.2, 0.8]]], dtype=F64)
        ones = torch.ones(1, 2, dtype=F64)
        m(Step(ones, 0 * ones, features, features.flip(-1)))
        before = {key: tensor.clone() for key, tensor in m.tensors().items()}
        rewards = torch.tensor([[0.5, reward]], dtype=F64)
        return m(Step(rewards, 0 * ones, features, features.flip(-1), torch.tensor([[False, restarted]]))), before, m

    both, _, _ = learnt(3.0, False)
    m, before, modulator = learnt(3.0, True)
    assert (m[0, 0], m[0, 1]) == (both[0, 0], 0.0)
    other_m, _, other = learnt(float("nan"), True)
    assert torch.equal(m, other_m)
    assert all(torch.equal(tensor, other.tensors()[key]) for key, tensor in modulator.tensors().items())
    if name == "td":
        expected = before["critic.weight"] + 0.3 / 2 * m[0, 0] * modulator.trace[0, 0]
        torch.testing.assert_close(modulator.weight, expected)
    elif name == "reward-baseline":
        torch.testing.assert_close(modulator.r_bar, before["modulator.r_bar"] + 0.01 * m[0, 0] / 2)


def test_value_init_is_the_value_of_every_state():
    td = modulator("td", value_init=7.0)
    features = torch.tensor([[[0.3, 0.7]]], dtype=F64)
    assert td.value(features).item() == pytest.approx(7.0)


def test_unchanging_reward_is_no_news_to_who_expects_it_and_the_end_is():
    td = modulator("td", gamma=0.98, value_init=50.0)
    assert td(step(1.0)).item() == pytest.approx(0.0, abs=1e-12)
    assert td(step(1.0, terminated=1.0)).item() == pytest.approx(-49.0)


@pytest.mark.parametrize("features", [1, 4, 300])
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_visit_removes_its_share_of_the_error_of_a_state_however_many_features_are_active(features, share):
    torch.manual_seed(features)
    now = torch.rand(1, 1, features, dtype=F64)
    now /= now.sum()
    td = build_modulator("td", ModulatorConfig(gamma=0.0, critic_lr=share), now.shape, CPU, F64)
    one, ended = torch.full((1, 1), 6.0, dtype=F64), torch.ones(1, 1, dtype=F64)
    for visit in range(4):
        assert td(Step(one, ended, now, now)).item() == pytest.approx(6.0 * (1.0 - share) ** visit, abs=1e-12)


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_no_immediate_revisit_overshoots(share):
    """A state that is its own successor, with a long trace: its value only comes closer to what follows from it."""
    now = torch.full((1, 1, 5), 0.2, dtype=F64)
    td = build_modulator("td", ModulatorConfig(gamma=0.99, lambda_=1.0, critic_lr=share), now.shape, CPU, F64)
    nothing = torch.zeros(1, 1, dtype=F64)
    for _ in range(50):
        expected = td.value(now).item()
        delta = td(Step(nothing + 1.0, nothing, now, now)).item()
        assert expected <= td.value(now).item() <= expected + delta + 1e-9
