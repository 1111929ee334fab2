import math

import numpy as np
import pytest

from rstdp_agents.equations.rate_control import (
    HomeostasisConstants,
    HomeostasisParams,
    drive_to_target,
    homeostasis_constants,
    offset_step,
    running_rate,
)
from tests.equations.forms import values

P = HomeostasisParams(param="threshold", rate_target=200.0, tau_rate=1000.0, lr=0.01, limit=0.05)
C = homeostasis_constants(P, 20.0)
RATE = np.linspace(0.0, 600.0, 16)


def test_constants_are_those_of_the_parameters_for_a_window():
    assert HomeostasisConstants(False, True, True, 200.0, 50.0, 1 - math.exp(-0.02), 0.01, 0.05) == C
    assert not homeostasis_constants(HomeostasisParams(scope="neuron"), 10.0).of_layer
    assert homeostasis_constants(HomeostasisParams(), 10.0)[:2] == (True, False)
    assert homeostasis_constants(HomeostasisParams(param="none"), 10.0)[:2] == (False, False)


def test_the_running_rate_forgets_by_its_share():
    assert values(running_rate, (RATE, np.full(16, 100.0)), 0.25) == pytest.approx(0.75 * RATE + 25.0)


def test_the_drive_has_the_sign_of_what_is_missing():
    assert values(drive_to_target, (RATE,), 200.0, 0.1) == pytest.approx(0.1 * (1 - RATE / 200.0))


def test_the_offset_follows_the_drive_within_its_limit():
    offset = np.linspace(0.05, -0.05, 16)
    expected = np.clip(offset + 0.01 * (1 - RATE / 200.0), -0.05, 0.05)
    assert values(offset_step, (offset, RATE), C) == pytest.approx(expected)
    assert (expected != offset + 0.01 * (1 - RATE / 200.0)).any()
    assert offset_step(0.02, 100.0, P) == pytest.approx(0.025)
