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

P = HomeostasisParams(param="threshold", rate_target=200.0, tau_rate=1000.0, tau=2000.0, limit=0.05, floor=50.0)
C = homeostasis_constants(P, 20.0)
RATE = np.linspace(0.0, 600.0, 16)


def test_constants_are_those_of_the_parameters_for_a_window():
    assert (
        HomeostasisConstants(False, True, False, True, 200.0, 50.0, 1 - math.exp(-0.02), 0.01, 0.05, 50.0, 0.0002) == C
    )
    assert not homeostasis_constants(HomeostasisParams(scope="neuron"), 10.0).of_layer
    assert homeostasis_constants(HomeostasisParams(), 10.0)[:3] == (True, False, False)
    assert homeostasis_constants(HomeostasisParams(param="none"), 10.0)[:3] == (False, False, False)
    assert homeostasis_constants(HomeostasisParams(param="gain"), 10.0)[:3] == (False, False, True)
    assert homeostasis_constants(HomeostasisParams(tau=math.inf), 10.0).share == 0.0


def test_the_running_rate_forgets_by_its_share():
    assert values(running_rate, (RATE, np.full(16, 100.0)), 0.25) == pytest.approx(0.75 * RATE + 25.0)


def test_the_drive_has_the_sign_of_what_is_missing():
    assert values(drive_to_target, (RATE,), 200.0, 0.1) == pytest.approx(0.1 * (1 - RATE / 200.0))


def test_the_offset_follows_the_drive_and_the_floor_within_its_limit():
    offset = np.linspace(0.05, -0.05, 16)
    moved = offset + 0.01 * (1 - RATE / 200.0)
    of_layer = values(offset_step, (offset, RATE, np.full(16, 60.0)), C)
    assert of_layer == pytest.approx(np.clip(moved, -0.05, 0.05))
    assert (of_layer != moved).any()
    floored = moved + 0.01 * np.clip(1 - RATE / 50.0, 0.0, None)
    assert values(offset_step, (offset, RATE, RATE), C) == pytest.approx(np.clip(floored, -0.05, 0.05))
    assert offset_step(0.02, 100.0, 60.0, C) == pytest.approx(0.025)
