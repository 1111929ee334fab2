import math

import numpy as np
import pytest

from rstdp_agents.equations.dopamine import dopamine_chance, dopamine_said, dopamine_share, dopamine_step
from tests.equations.forms import values


def test_dopamine_decays_to_its_baseline_and_all_that_was_felt_of_m_is_m():
    level, m, share = np.linspace(-1, 2, 16), np.linspace(3, -3, 16), dopamine_share(50.0, 10.0)
    assert values(dopamine_step, (level, m), 0.25) == pytest.approx(0.75 * level + 0.25 * m)
    felt, now = 0.0, 0.0
    for step in range(200):
        now = dopamine_step(now, 3.0 if step == 0 else 0.0, share)
        felt += now
    assert now == pytest.approx(3.0 * share * math.exp(-0.2 * 199))
    assert felt == pytest.approx(3.0)
    assert dopamine_step(0.7, 0.3, 1.0) == 0.3


def test_an_error_doubles_the_rate_of_dopamine_neurons_or_silences_them():
    m, resting = np.linspace(-3.0, 4.5, 16), 0.01
    chance = values(dopamine_chance, (m,), resting, lanes=False)
    assert -np.log(1.0 - chance) / resting == pytest.approx(np.maximum(0.0, 1.0 + m))
    assert dopamine_chance(1.0, resting) == pytest.approx(2.0 * dopamine_chance(0.0, resting), rel=0.01)
    assert dopamine_chance(-1.0, resting) == dopamine_chance(-7.0, resting) == 0.0


def test_what_dopamine_neurons_are_expected_to_fire_says_the_error():
    m, resting, draws = np.linspace(-1.0, 3.0, 16), 0.002, 5000.0
    spikes = draws * values(dopamine_chance, (m,), resting, lanes=False)
    assert values(dopamine_said, (spikes,), draws, resting, lanes=False) == pytest.approx(m, abs=0.02)
    assert dopamine_said(0.0, draws, resting) == -1.0
