import math

import numpy as np
import pytest

from rstdp_agents.equations.neuron import (
    LIFConstants,
    LIFParams,
    conductance_jump,
    inhibited,
    lif_constants,
    lif_tick,
    logistic_width,
    noise_of_current,
    noisy_threshold,
)
from tests.equations.forms import values

P = LIFParams(tau_m=10.0, v_th=1.0, v_rest=-0.1, v_reset=-0.3, t_ref=2.0, escape_noise=0.4, lateral_inhibition=0.25)
C = lif_constants(P, 1.0)


def test_constants_are_those_of_the_parameters_for_a_tick():
    assert lif_constants(P, 0.5) == LIFConstants(math.exp(-0.05), 1.0, -0.1, -0.3, 4, 0.4, 0.25, False, math.log(0.03))


def test_a_tick_leaks_integrates_fires_and_resets():
    v = np.array([0.0, 0.5, 0.9, 1.5] * 4)
    refractory = np.repeat([0.0, 0.0, 2.0, 1.0], 4)
    current, threshold = np.linspace(-0.5, 1.0, 16), np.full(16, 0.7)
    spike, v_after, left = values(lif_tick, (v, refractory, current, threshold), C)
    potential = -0.1 + (v + 0.1) * math.exp(-0.1) + current
    fires = (potential >= 0.7) & (refractory == 0)
    assert 2 < fires.sum() < 8
    assert np.array_equal(spike, fires)
    assert v_after == pytest.approx(np.where(fires, -0.3, potential))
    assert np.array_equal(left, np.where(fires, 2, np.maximum(refractory - 1, 0)))


def test_a_potential_at_the_threshold_fires():
    nothing = np.zeros(16)
    spike, v, left = values(lif_tick, (nothing, nothing, nothing + 1.0, nothing + 1.0), lif_constants(LIFParams(), 1.0))
    assert (spike.all(), v.any(), left.all()) == (True, False, True)


def test_escape_noise_is_the_inverse_of_the_sigmoid():
    uniform = np.array([0.0, 1e-9, 1e-3, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, *np.linspace(0.3, 0.7, 6)])
    threshold = values(noisy_threshold, (uniform,), C)
    probability = 1 / (1 + np.exp(-(threshold - 1.0) / 0.4))  # of a spike, at v = threshold
    assert probability[2:9] == pytest.approx(uniform[2:9])
    assert threshold[5] == pytest.approx(1.0)
    assert threshold[:2] == pytest.approx(1.0 + 0.4 * math.log(1e-7))  # held within what single precision tells apart
    hard = lif_constants(LIFParams(escape_noise=0.0), 1.0)
    assert (values(noisy_threshold, (uniform,), hard) == 1.0).all()


def test_exponential_escape_noise_is_a_firing_rate_that_grows_with_the_potential():
    """P(spike) in a tick is 1 - exp(-rate dt): at the threshold of escape_rate, and e times that for every width above it."""
    p = LIFParams(escape="exponential", escape_noise=0.25, escape_rate=60.0)
    uniform = (
        np.array([3.0, 5.0, 9.0, 100.0, *np.linspace(2**18, 2**24 - 100, 12).round()]) / 2**24
    )  # as they are drawn
    threshold = values(noisy_threshold, (uniform,), lif_constants(p, 2.0))
    hertz = 60.0 * np.exp((threshold - 1.0) / 0.25)
    assert 1.0 - np.exp(-hertz * 2e-3) == pytest.approx(uniform, rel=1e-5)
    silent = 60.0 * math.exp(-1.0 / 0.25)
    assert silent == pytest.approx(1.1, abs=0.01)  # Hz, of a neuron at rest


def test_the_rate_of_exponential_noise_is_the_same_for_any_tick():
    p = LIFParams(escape="exponential", escape_noise=0.25)
    uniform = (np.arange(200_000) + 0.5) / 200_000
    for v in (0.0, 0.5, 1.0):
        rates = []
        for dt in (0.1, 0.5):
            fired = np.mean([v >= noisy_threshold(u, lif_constants(p, dt)) for u in uniform[::10]])
            rates.append(-math.log1p(-fired) / dt * 1000.0)
        assert rates == pytest.approx([60.0 * math.exp((v - 1.0) / 0.25)] * 2, rel=0.05, abs=0.5)


def test_spikes_of_the_others_inhibit():
    v, spike, of_layer = np.linspace(0, 1.5, 16), np.array([1.0, 0.0] * 8), np.full(16, 3.0)
    assert values(inhibited, (v, spike, of_layer), C) == pytest.approx(v - 0.25 * (3 - spike))


def test_open_synapses_pull_a_potential_towards_where_they_reverse_and_not_beyond():
    """At once: a potential v' with v' - v = E (e_exc - v') + I (e_inh - v')."""
    v, excitation, inhibition = np.linspace(-0.4, 1.0, 16), np.linspace(0.0, 0.3, 16), np.linspace(0.5, 0.0, 16)
    jump = values(conductance_jump, (v, excitation, inhibition), 6.5, -0.5)
    after = v + jump
    assert jump == pytest.approx(excitation * (6.5 - after) + inhibition * (-0.5 - after))
    assert conductance_jump(-60.0, 0.0, 0.25, 0.0, -75.0) == -3.0
    assert conductance_jump(-60.0, 1e9, 0.0, 0.0, -75.0) == pytest.approx(60.0)


def test_noise_of_a_current_is_logistic():
    uniform = np.linspace(0.01, 0.99, 16)
    assert values(noise_of_current, (uniform,), 0.3) == pytest.approx(0.3 * np.log(uniform / (1 - uniform)))
    assert logistic_width(0.4) == pytest.approx(0.4 * 3**0.5 / np.pi)
