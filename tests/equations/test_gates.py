import math

import numpy as np
import pytest

from rstdp_agents.equations.policy import (
    noise,
    preferred_value,
    sharpness_step,
    softmax_gate,
    softmax_push,
    softmax_score,
    standard_normal,
    vector_action,
    vector_gate,
    vector_push,
)
from tests.equations.forms import values

EPSILON = np.linspace(-3.0, 3.0, 16)


def test_the_gate_is_the_gradient_of_the_log_of_the_policy():
    drive = np.linspace(-1, 1, 16)
    policy = np.exp(drive) / np.exp(drive).sum()
    for action in (0, 7):
        gate = values(softmax_gate, (np.arange(16) == action, policy))
        nudged = [np.exp(drive + 1e-6 * (np.arange(16) == k)) for k in range(16)]
        gradient = [(math.log(e[action] / e.sum()) - math.log(policy[action])) / 1e-6 for e in nudged]
        assert gate == pytest.approx(gradient, abs=1e-5)
        assert gate.sum() == pytest.approx(0.0)


def test_the_gate_of_a_population_vector_is_the_pull_towards_what_was_tried():
    preferred = values(preferred_value, (np.arange(16),), 16)
    assert preferred == pytest.approx(np.linspace(-1, 1, 16))
    assert values(vector_gate, (EPSILON, preferred), 0.25) == pytest.approx(EPSILON * (preferred - 0.25))


def test_the_action_is_stretched_to_its_bounds_and_stays_within():
    action = values(vector_action, (np.full(16, 0.5), EPSILON), 0.4, -1.0, 3.0)
    assert action == pytest.approx(1.0 + 2.0 * np.clip(0.5 + 0.4 * EPSILON, -1, 1))
    assert (action.min(), action.max()) == (pytest.approx(-0.4), 3.0)


def test_two_uniform_draws_make_a_normal_number():
    u, v = np.linspace(0, 1 - 2.0**-24, 16), np.linspace(0, 0.9, 16)
    found = values(standard_normal, (u, v), lanes=False)
    assert found == pytest.approx(np.sqrt(-2 * np.log1p(-u)) * np.cos(2 * np.pi * v))
    assert standard_normal(1 - math.exp(-0.5), 0.5) == pytest.approx(-1.0)


def test_sharpness_scales_what_a_softmax_compares_and_divides_the_noise():
    rate, sharpness = np.linspace(0, 1, 16), np.linspace(-1, 3, 16)
    assert values(softmax_score, (rate, sharpness), 10.0, lanes=False) == pytest.approx(10 * rate * np.exp(sharpness))
    assert values(noise, (sharpness,), 0.8, lanes=False) == pytest.approx(0.8 * np.exp(-sharpness))


def test_the_push_of_a_softmax_is_the_gradient_of_the_log_of_the_policy_by_sharpness():
    rate = np.linspace(0, 1, 16)

    def log_policy(sharpness):
        scores = 10.0 * np.exp(sharpness) * rate
        return scores - np.log(np.exp(scores).sum())

    scores = 10.0 * rate
    mean = (np.exp(log_policy(0.0)) * scores).sum()
    push = values(softmax_push, (scores, np.full(16, mean)))
    assert push == pytest.approx((log_policy(1e-6) - log_policy(-1e-6)) / 2e-6, abs=1e-5)
    assert (np.exp(log_policy(0.0)) * push).sum() == pytest.approx(0.0)  # it says nothing on average


def test_the_push_of_a_normal_action_is_the_natural_gradient_by_sharpness():
    def log_density(sharpness):
        return sharpness - 0.5 * (EPSILON * math.exp(sharpness)) ** 2

    gradient = (log_density(1e-6) - log_density(-1e-6)) / 2e-6
    push = values(vector_push, (EPSILON,))
    assert push == pytest.approx(gradient / 2.0, abs=1e-6)  # the Fisher information is 2
    fine = np.linspace(-8, 8, 2001)
    weight = np.exp(-0.5 * fine**2) / np.exp(-0.5 * fine**2).sum()
    assert (weight * (2.0 * vector_push(fine)) ** 2).sum() == pytest.approx(2.0)


def test_sharpness_takes_small_steps_within_bounds():
    sharpness, m, trace = np.linspace(-1, 3, 16), np.linspace(-1, 1, 16), np.linspace(2, -2, 16)
    expected = np.clip(sharpness + 0.01 * m * trace, -1, 3)
    assert values(sharpness_step, (sharpness, m, trace), 0.01) == pytest.approx(expected)
    assert [sharpness_step(s, 1e9, sign, 0.01) for s, sign in ((0.0, 1.0), (0.0, -1.0))] == [3.0, -1.0]
