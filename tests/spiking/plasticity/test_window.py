"""The window form of every rule against the equations of the papers, tick by tick."""

import math

import pytest
import torch

from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET, RewardSwitch
from rstdp_agents.spiking.plasticity.update import apply_update, modulate
from rstdp_agents.spiking.plasticity.window import (
    PairState,
    pair_init,
    pair_kernels,
    pair_window,
    pair_window_from_rest,
)
from rstdp_agents.spiking.synapses import Linear

F64, CPU = torch.float64, torch.device("cpu")
PAIRS = {"a_plus": 0.9, "a_minus": 0.6, "tau_plus": 15.0, "tau_minus": 25.0}
RULES = [
    RSTDP(**PAIRS),
    RSTDPET(**PAIRS, tau_e=30.0),
    RewardSwitch(**PAIRS, tau_e=30.0, a_plus_punished=0.4, a_minus_punished=0.2),
]
SYNAPSE = Linear(5, 4)


def spikes(ticks, neurons, seed, agents=2, envs=3):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(ticks, agents, envs, neurons, generator=generator, dtype=F64) < 0.3).double()


def fresh(rule, agents=2, envs=3):
    return pair_init(SYNAPSE, rule, agents, envs, CPU, F64)


def by_equation(rule, pre, post, dt, gate=1.0):
    """Pre-before-post and post-before-pre eligibility of one window from rest, written as the papers write it."""
    x, y = torch.zeros_like(pre[0]), torch.zeros_like(post[0])
    per_tick, _ = rule.decays(1, dt)
    alpha = per_tick if isinstance(rule, RSTDPET) else 1.0
    z_plus = z_minus = torch.zeros(*pre.shape[1:3], 4, 5, dtype=F64)
    for s_pre, s_post in zip(pre, post):
        x = x * math.exp(-dt / rule.tau_plus) + s_pre
        y = y * math.exp(-dt / rule.tau_minus) + s_post
        z_plus = alpha * z_plus + rule.gain(dt) * (s_post * gate)[..., None] * x[..., None, :]
        z_minus = alpha * z_minus + rule.gain(dt) * (y * gate)[..., None] * s_pre[..., None, :]
    return z_plus, z_minus


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_window_from_rest_is_the_equation(rule, dt):
    pre, post = spikes(11, 5, 0), spikes(11, 4, 1)
    gate = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(2), dtype=F64)
    kernels, start = pair_kernels(rule, 11, dt, CPU, F64), fresh(rule).z
    state = pair_window(SYNAPSE, kernels, pre, post, fresh(rule), gate)
    pair_window_from_rest(SYNAPSE, kernels, pre, post, start, gate)
    torch.testing.assert_close(start, state.z, rtol=0, atol=1e-13)
    plus, minus = by_equation(rule, pre, post, dt, gate)
    for z, (a, b) in zip(state.z, rule.terms, strict=True):
        torch.testing.assert_close(z, a * plus + b * minus, rtol=0, atol=1e-13)


@pytest.mark.parametrize("rule", RULES[1:], ids=lambda r: type(r).__name__)
def test_window_is_its_ticks_one_by_one_with_traces_carried_over(rule):
    pre, post = spikes(24, 5, 3), spikes(24, 4, 4)
    whole, parts = fresh(rule), fresh(rule)
    for start in (0, 12):
        whole = pair_window(
            SYNAPSE, pair_kernels(rule, 12, 1.0, CPU, F64), pre[start : start + 12], post[start : start + 12], whole
        )
    one = pair_kernels(rule, 1, 1.0, CPU, F64)
    for tick in range(24):
        parts = pair_window(SYNAPSE, one, pre[tick : tick + 1], post[tick : tick + 1], parts)
    for a, b in zip((whole.x, whole.y, *whole.z), (parts.x, parts.y, *parts.z), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-13)


def test_window_without_eligibility_trace_is_the_sum_of_its_ticks():
    rule = RULES[0]
    pre, post = spikes(12, 5, 5), spikes(12, 4, 6)
    whole = pair_window(SYNAPSE, pair_kernels(rule, 12, 1.0, CPU, F64), pre, post, fresh(rule))
    one, state, total = pair_kernels(rule, 1, 1.0, CPU, F64), fresh(rule), torch.zeros(2, 3, 4, 5, dtype=F64)
    for tick in range(12):
        state = pair_window(SYNAPSE, one, pre[tick : tick + 1], post[tick : tick + 1], state)
        total += state.z[0]
    torch.testing.assert_close(whole.z[0], total, rtol=0, atol=1e-13)


def test_mstdpet_becomes_mstdp_as_the_trace_gets_short():
    pre, post = spikes(1, 5, 7), spikes(1, 4, 8)
    short, none = RSTDPET(**PAIRS, tau_e=1e-3), RSTDP(**PAIRS)
    start = [
        PairState(torch.ones(2, 3, 5, dtype=F64), torch.ones(2, 3, 4, dtype=F64), fresh(r).z) for r in (short, none)
    ]
    with_trace, without = (
        pair_window(SYNAPSE, pair_kernels(r, 1, 1.0, CPU, F64), pre, post, s) for r, s in zip((short, none), start)
    )
    torch.testing.assert_close(with_trace.z[0] * short.tau_e, without.z[0], rtol=0, atol=1e-13)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: type(r).__name__)
def test_no_modulator_no_change_and_opposite_modulator_opposite_change(rule):
    z = tuple(
        torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(i), dtype=F64) for i in range(len(rule.terms))
    )
    m = torch.tensor([[1.0, -2.0, 0.5], [0.1, 0.0, -0.3]], dtype=F64)
    assert torch.count_nonzero(modulate(z, rule.factors(torch.zeros_like(m)))) == 0
    if not isinstance(rule, RewardSwitch):
        torch.testing.assert_close(modulate(z, rule.factors(-m)), -modulate(z, rule.factors(m)), rtol=0, atol=0)


def test_reward_switch_takes_its_amplitudes_by_the_sign_alone():
    rule = RULES[2]
    plus, minus = rule.factors(torch.tensor([[3.0, 1e-6, 0.0, -0.2]], dtype=F64))
    assert plus.tolist() == [[0.9, 0.9, 0.0, -0.4]]
    assert minus.tolist() == [[0.6, 0.6, 0.0, -0.2]]


def test_modulate_is_the_mean_over_envs_of_factor_times_eligibility():
    z = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(9), dtype=F64)
    m = torch.tensor([[1.0, 2.0, 3.0], [0.0, -1.0, 0.5]], dtype=F64)
    torch.testing.assert_close(modulate((z,), (m,)), (m[..., None, None] * z).mean(1), rtol=0, atol=1e-14)


def test_weights_stay_within_their_bounds():
    weight = torch.tensor([[-0.9, 0.0, 0.9]])
    apply_update(weight, torch.tensor([[-0.5, 0.2, 0.5]]), -1.0, 1.0)
    assert weight.tolist() == [[-1.0, pytest.approx(0.2), 1.0]]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"tau_plus": -5.0}, "`tau_plus` must be positive (ms); received -5.0"),
        ({"tau_minus": 0.0}, "`tau_minus` must be positive (ms); received 0.0"),
        ({"tau_e": -1.0}, "`tau_e` must be positive (ms); received -1.0"),
        ({"a_minus": -0.5}, "`a_minus` must not be negative; received -0.5"),
    ],
)
def test_impossible_parameters_are_refused_in_words(wrong, words):
    with pytest.raises(ValueError, match="must") as error:
        RSTDPET(**wrong)
    assert str(error.value) == words
