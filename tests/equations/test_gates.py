import math

import numpy as np
import pytest

from rstdp_agents.equations.policy import preferred_value, softmax_gate, standard_normal, vector_action, vector_gate
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
