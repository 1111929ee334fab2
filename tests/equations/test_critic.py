import numpy as np
import pytest

from rstdp_agents.agent.modulators import ModulatorConfig, RewardMinusBaseline, TDError, modulator_constants
from rstdp_agents.equations.critic import beyond_deadband, critic_step, reward_error, reward_mean_step, td_error
from tests.equations.forms import values

P = ModulatorConfig(reward_scale=0.5, gamma=0.9, lambda_=0.8, critic_lr=0.3, deadband=0.4, tau_baseline=50.0)
SPACE = (1, 1, 2), *2 * (None,)
C = modulator_constants(TDError(P, *SPACE), P)
REWARD = np.linspace(-2.0, 2.0, 16)


def test_constants_are_those_of_modulator_and_settings():
    assert (True, 0.5, 0.9, pytest.approx(0.72), 0.3, 0.4, 0.0) == C
    assert modulator_constants(RewardMinusBaseline(P, 50.0, 1, None, None), P) == (False, *C[1:6], 0.02)


def test_the_td_error_expects_nothing_beyond_the_end():
    ended, value, next_value = np.array([0.0, 1.0] * 8), np.linspace(0, 3, 16), np.linspace(5, 2, 16)
    expected = 0.5 * REWARD + 0.9 * np.where(ended == 1, 0.0, next_value) - value
    assert values(td_error, (REWARD, ended, value, next_value), C) == pytest.approx(expected)
    assert td_error(2.0, 0.0, 1.0, 3.0, P) == pytest.approx(1.0 + 2.7 - 1.0)


def test_the_critic_takes_a_step_along_its_trace():
    weight, trace = np.linspace(-1, 1, 16), np.linspace(0, 2, 16)
    assert values(critic_step, (weight, trace), -0.25) == pytest.approx(weight - 0.25 * trace)


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
