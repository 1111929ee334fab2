"""One tick of neuron models with two variables, in all forms."""

import numpy as np
import pytest

from rstdp_agents.equations.adex import AdExConstants, adex_tick
from rstdp_agents.equations.alif import alif_tick
from rstdp_agents.equations.izhikevich import IzhikevichConstants, izhikevich_step, izhikevich_tick
from rstdp_agents.spiking.adex import AdEx
from rstdp_agents.spiking.alif import ALIF
from rstdp_agents.spiking.izhikevich import Izhikevich
from tests.equations.forms import values


def test_a_step_of_izhikevichs_neuron_is_eulers():
    v, u, current = np.linspace(-70, 20, 16), np.linspace(-15, 5, 16), np.linspace(-3, 8, 16)
    found = izhikevich_step(v, u, current, 0.5, 0.02, 0.2)
    assert found[0] == pytest.approx(v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + current))
    assert found[1] == pytest.approx(u + 0.5 * 0.02 * (0.2 * v - u))


def test_a_tick_of_izhikevichs_neuron_is_its_steps_and_one_spike_at_most():
    p = Izhikevich().constants(1.0)
    assert p == IzhikevichConstants(0.02, 0.2, -65.0, 8.0, 30.0, p.noise, 20.0, 20.0, 2, 0.5)
    v = np.concatenate([np.linspace(-75, -50, 12), np.linspace(25, 35, 4)])
    u, current = np.linspace(-15, 5, 16), np.linspace(-3, 8, 16)
    spike, after, recovery = values(izhikevich_tick, (v, u, current, np.full(16, p.v_peak)), p)
    for _ in range(2):
        v, u = izhikevich_step(v, u, current, 0.5, 0.02, 0.2)
        peak = v >= 30.0
        v, u = np.where(peak, -65.0, v), np.where(peak, u + 8.0, u)
    assert after == pytest.approx(v)
    assert recovery == pytest.approx(u)
    assert 0 < spike.sum() < 16


def test_a_tick_of_adex_is_four_steps_of_eulers():
    p = AdEx().constants(1.0)
    assert p[:10] == tuple(AdExConstants(281.0, 30.0, -70.6, -50.4, 2.0, 4.0, 144.0, 80.5, -70.6, 0.0, *[0] * 5))[:10]
    assert (p.steps, p.h, p.pa) == (4, 0.25, pytest.approx(281.0 * 20.2))
    v, w, i = np.linspace(-75, -39, 16), np.linspace(-20, 90, 16), np.linspace(0, 900, 16)
    spike, after, adaptation = values(adex_tick, (v, w, i, np.full(16, p.v_t)), p)
    fired = np.zeros(16, bool)
    for _ in range(4):
        dv = (-30 * (v + 70.6) + 60 * np.exp((v + 50.4) / 2) - w + i) / 281
        v, w = v + 0.25 * dv, w + 0.25 * (4 * (v + 70.6) - w) / 144
        peak = v >= 0
        v, w, fired = np.where(peak, -70.6, v), np.where(peak, w + 80.5, w), fired | peak
    assert after == pytest.approx(v)
    assert adaptation == pytest.approx(w)
    assert (spike == fired).all()
    assert 0 < spike.sum() < 16


def test_a_tick_of_alif_is_that_of_lif_below_a_threshold_that_spikes_raise():
    p = ALIF(tau_m=10.0, v_rest=-0.1, v_reset=-0.2, threshold_jump=0.3, tau_threshold=50.0).constants(2.0)
    v, raised, current = np.linspace(0.2, 1.6, 16), np.linspace(0.5, 0.0, 16), np.full(16, 0.1)
    spike, after, left = values(alif_tick, (v, raised, current, np.full(16, 0.9)), p)
    now = -0.1 + (v + 0.1) * np.exp(-0.2) + 0.1
    fired = now >= 0.9 + raised
    assert (spike == fired).all()
    assert 0 < spike.sum() < 16
    assert after == pytest.approx(np.where(fired, -0.2, now))
    assert left == pytest.approx(raised * np.exp(-0.04) + 0.3 * fired)
