import numpy as np
import pytest

from rstdp_agents.equations.three_factor import (
    dale_bounds,
    gap_factor,
    shared_gate,
    soft_change,
    spike_pairs,
    switch_factor,
    weight_step,
)
from tests.equations.forms import values

M = np.array([-2.0, -1e-6, 0.0, 1e-6, 0.5, 3.0, np.nan, -np.inf] * 2)


def test_pairs_strengthen_or_weaken_by_their_order():
    causal, anticausal = np.linspace(0, 1, 16), np.linspace(2, 0, 16)
    assert values(spike_pairs, (causal, anticausal), 1.5, 0.5) == pytest.approx(1.5 * causal - 0.5 * anticausal)


def test_a_gate_is_shared_among_the_input_that_fired():
    gate, power = np.linspace(-1, 1, 16), np.linspace(0, 30, 16)
    assert values(shared_gate, (gate, power), lanes=False) == pytest.approx(gate / np.maximum(power, 1.0))
    assert (shared_gate(0.5, 0.0), shared_gate(0.5, 1.0), shared_gate(0.5, 8.0)) == (0.5, 0.5, 0.0625)


def test_the_change_of_drive_by_the_same_input_is_that_of_the_gate():
    """Each synapse learns and acts in proportion to its input's spikes."""
    for spikes in (np.ones(1), np.ones(1000), np.array([1.0, 2.0, 3.0])):
        dw = shared_gate(0.3, spikes @ spikes) * spikes
        assert dw @ spikes == pytest.approx(0.3)


@pytest.mark.parametrize(("zero_punishes", "at_zero"), [(False, 0.0), (True, -0.3)])
def test_the_sign_of_the_modulator_picks_the_amplitude(zero_punishes, at_zero):
    expected = [-0.3, -0.3, at_zero, 0.7, 0.7, 0.7, at_zero, -0.3] * 2
    assert values(switch_factor, (M,), 0.7, -0.3, zero_punishes) == pytest.approx(expected)


def test_weights_stay_within_their_bounds():
    weight, dw = np.linspace(-1, 1, 16), np.linspace(0.5, -0.5, 16) ** 3
    assert values(weight_step, (weight, dw), -0.8, 0.6) == pytest.approx(np.clip(weight + dw, -0.8, 0.6))


@pytest.mark.parametrize("mu", [0.0, 0.4, 1.0, 2.0])
def test_between_soft_bounds_a_change_shrinks_with_the_gap_to_the_bound_it_goes_to(mu):
    weight, dw = np.linspace(-0.75, 0.55, 16), np.linspace(0.5, -0.5, 16)
    gap = np.where(dw > 0, 0.6 - weight, weight + 0.8)
    assert values(gap_factor, (gap,), 1.4, mu) == pytest.approx((gap / 1.4) ** mu)
    assert values(soft_change, (weight, dw), -0.8, 0.6, mu) == pytest.approx(dw * (gap / 1.4) ** mu)
    at_bounds = values(soft_change, (np.full(16, 0.6), np.full(16, 0.5)), -0.8, 0.6, max(mu, 0.4))
    assert at_bounds == pytest.approx(0.0, abs=1e-6)


def test_by_dales_law_no_weight_is_on_the_other_side_of_zero():
    assert dale_bounds(-0.5, 1.5, inhibitory=False) == (0.0, 1.5)
    assert dale_bounds(-0.5, 1.5, inhibitory=True) == (-0.5, 0.0)
