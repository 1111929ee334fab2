import math
from dataclasses import replace

import numpy as np
import pytest

from rstdp_agents.agent.modulators import ModulatorConfig, RewardMinusBaseline, TDError, modulator_constants
from rstdp_agents.equations.critic import (
    beyond_deadband,
    critic_step,
    critic_trace_step,
    in_own_units,
    marked_share,
    moment_step,
    novelty,
    own_unit,
    reward_error,
    reward_mean_step,
    reward_with_novelty,
    td_error,
)
from tests.equations.forms import values

P = ModulatorConfig(
    reward_scale=0.5,
    gamma=0.9,
    lambda_=0.8,
    critic_lr=0.3,
    tau_gain=200.0,
    novelty=0.2,
    deadband=0.4,
    tau_dopamine=50.0,
    dopamine_neurons=30,
    dopamine_hz=4.0,
    tau_baseline=50.0,
)
SPACE = (1, 1, 2), *2 * (None,)
C = modulator_constants(TDError(P, *SPACE), P, 10, 1.0)
REWARD = np.linspace(-2.0, 2.0, 16)


def test_constants_are_those_of_modulator_and_settings():
    assert (
        0.5,
        0.9,
        pytest.approx(0.72),
        0.3,
        True,
        0.005,
        0.4,
        pytest.approx(1 - math.exp(-0.2)),
        300,
        pytest.approx(0.004),
        0.2,
        0.0,
    ) == C
    assert modulator_constants(RewardMinusBaseline(P, 50.0, 1, None, None), P, 10, 1.0) == (*C[:11], 0.02)
    assert not modulator_constants(TDError(P, *SPACE), replace(P, gain="fixed"), 10, 1.0).adapts


def test_the_td_error_expects_nothing_beyond_the_end():
    ended, value, next_value = np.array([0.0, 1.0] * 8), np.linspace(0, 3, 16), np.linspace(5, 2, 16)
    expected = 0.5 * REWARD + 0.9 * np.where(ended == 1, 0.0, next_value) - value
    assert values(td_error, (REWARD, ended, value, next_value), C) == pytest.approx(expected)
    assert td_error(2.0, 0.0, 1.0, 3.0, P) == pytest.approx(1.0 + 2.7 - 1.0)


def test_the_critic_takes_a_step_along_its_trace():
    weight, trace = np.linspace(-1, 1, 16), np.linspace(0, 2, 16)
    assert values(critic_step, (weight, trace), -0.25) == pytest.approx(weight - 0.25 * trace)


def test_what_is_marked_already_is_not_marked_again():
    again = np.linspace(-1.0, 5.0, 16)
    assert values(marked_share, (again, np.full(16, 0.3))) == pytest.approx(np.clip(0.3 * again, 0.0, 1.0))
    assert [marked_share(again, 0.5) for again in (-1.0, 0.5, 9.0)] == [0.0, 0.25, 1.0]


def test_a_trace_of_the_critic_decays_and_is_marked_by_the_features():
    trace, phi, mark = np.linspace(-1, 2, 16), np.linspace(0, 1, 16), np.linspace(3, 0, 16)
    expected = 0.72 * trace + mark * phi
    assert values(critic_trace_step, (trace, phi, np.full(16, 0.72), mark)) == pytest.approx(expected)


@pytest.mark.parametrize("features", [1, 3, 500])
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_a_step_removes_its_share_of_an_error_however_many_features_there_are(features, share):
    """Of the value w phi, at first; on immediate revisits never more than all, and all of it with a share of 1."""
    phi, decay = np.random.default_rng(features).random(features), 0.9
    e, removed = np.zeros(features), []
    for _ in range(30):
        mark = (1.0 - marked_share(decay * (e @ phi), share)) / (phi @ phi)
        e = critic_trace_step(e, phi, decay, mark)
        removed.append(critic_step(0.0 * e, e, share) @ phi)
    assert removed[0] == pytest.approx(share)
    assert np.all(np.diff(removed) >= -1e-12)
    assert removed[-1] == pytest.approx(share / (1.0 - decay * (1.0 - share)), abs=0.05)
    assert removed[-1] <= 1.0 + 1e-12


def test_moments_are_running_means():
    moment, power = np.linspace(0, 2, 16), np.linspace(3, 1, 16)
    assert values(moment_step, (moment, power), 0.25) == pytest.approx(0.75 * moment + 0.25 * power)
    mean = 0.0
    for n, power in enumerate((4.0, 1.0, 7.0)):
        mean = moment_step(mean, power, 1.0 / (n + 1))
    assert mean == pytest.approx(4.0)


def test_an_error_is_measured_by_the_size_of_errors_that_matter():
    delta = np.linspace(-3, 3, 16)
    second, fourth = np.full(16, 2.0), np.full(16, 8.0)
    assert values(in_own_units, (delta, second, fourth), lanes=False) == pytest.approx(delta / 2.0)
    assert in_own_units(0.0, 0.0, 0.0) == 0.0
    for size in (1e-9, 1.0, 1e9):
        assert in_own_units(size, size**2, size**4) == pytest.approx(1.0)
    rare = [0.01] * 99 + [1.0]  # the small errors of a nearly correct critic do not count
    second, fourth = np.mean(np.square(rare)), np.mean(np.power(rare, 4.0))
    assert in_own_units(1.0, second, fourth) == pytest.approx(1.005, abs=1e-3)


def test_an_error_far_larger_than_all_before_counts_as_one():
    for share in (1.0, 0.1, 0.001):
        second, fourth = (moment_step(1.0, 1e6**k, share) for k in (2, 4))
        assert in_own_units(1e6, second, fourth) == pytest.approx(1.0, rel=1e-6)


def test_small_errors_are_none_and_the_deadband_itself_is_not_small():
    delta = np.array([-1.0, -0.5, -0.49, 0.0, 0.49, 0.5, 0.51, 3.0] * 2)
    expected = [-1.0, -0.5, 0.0, 0.0, 0.0, 0.5, 0.51, 3.0] * 2
    assert values(beyond_deadband, (delta,), C._replace(deadband=0.5)) == pytest.approx(expected)
    assert np.array_equal(values(beyond_deadband, (delta,), C._replace(deadband=0.0)), delta)


def test_reward_against_its_running_mean():
    r_bar = np.full(16, 0.25)
    m = values(reward_error, (REWARD, r_bar), C)
    assert m == pytest.approx(0.5 * REWARD - 0.25)
    assert values(reward_mean_step, (r_bar, m), 0.02) == pytest.approx(0.25 + 0.02 * m)


def test_the_unit_is_what_errors_are_divided_by_and_faint_before_any_have_come():
    second, fourth = np.linspace(0.1, 4.0, 16), np.linspace(5.0, 0.2, 16)
    unit = values(own_unit, (second, fourth), lanes=False)
    assert unit == pytest.approx(np.sqrt(fourth / second))
    assert unit * values(in_own_units, (REWARD, second, fourth), lanes=False) == pytest.approx(REWARD)
    assert own_unit(0.0, 0.0) == 1e-12


def test_what_is_new_is_less_so_each_time():
    visits = np.linspace(0.0, 15.0, 16)
    assert values(novelty, (visits,), lanes=False) == pytest.approx((1.0 + visits) ** -0.5)
    assert [novelty(n) for n in (0.0, 3.0, 99.0)] == [1.0, 0.5, pytest.approx(0.1)]


def test_novelty_is_worth_a_share_of_an_error_whatever_the_scale_of_rewards():
    new = np.linspace(0.0, 1.0, 16)
    gained = values(reward_with_novelty, (REWARD, new, np.full(16, 3.0)), C, lanes=False)
    assert gained * P.reward_scale == pytest.approx(REWARD * P.reward_scale + 0.2 * 3.0 * new)
