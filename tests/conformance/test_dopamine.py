"""The rule beside NEST's dopamine synapse and a model of it in Brian2, on the same spikes (`benchmarks/recordings/dopamine.py`).

The eligibility is that of `RSTDPET`, tick by tick, and the modulator of a tick is what the level of dopamine, less its baseline,
comes to while the eligibility decays: with its exact integral the rule is NEST's, with the level times dt Brian2's Euler step.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from rstdp_agents.equations.traces import decay, trace_step
from rstdp_agents.spiking.plasticity import RSTDPET
from rstdp_agents.spiking.plasticity.online import online_tick
from rstdp_agents.spiking.plasticity.window import pair_init, pair_kernels
from rstdp_agents.spiking.synapses import Linear

F64, CPU = torch.float64, torch.device("cpu")
RECORDED = {
    name: json.loads((Path(__file__).parent / "dopamine" / f"{name}.json").read_text()) for name in ("nest", "brian2")
}


def exact(level, dt, p):
    """Integral over a tick of (level - b) times an eligibility of 1, both of which decay."""
    both = 1.0 / (1.0 / p["tau_c"] + 1.0 / p["tau_n"])
    return level * both * -math.expm1(-dt / both) - p["b"] * p["tau_c"] * -math.expm1(-dt / p["tau_c"])


def euler(level, dt, p):
    return (level - p["b"]) * dt


def states(recorded, case, integral):
    """Weight, eligibility and dopamine after every so many ms, as they are recorded."""
    p, dt = recorded["model"], recorded["dt"]
    rule = RSTDPET(p["A_plus"], p["A_minus"], p["tau_plus"], p["tau_minus"], tau_e=p["tau_c"])
    synapse = Linear(1, 1)
    k, pairs = pair_kernels(rule, 1, dt, CPU, F64), pair_init(synapse, rule, 1, 1, CPU, F64)
    arrivals = {name: {round(time / dt) for time in times} for name, times in recorded[case]["spikes"].items()}
    z, level, weight, found = 0.0, 0.0, 0.0, []
    ticks, every = round(len(recorded[case]["states"]) * recorded["every"] / dt), round(recorded["every"] / dt)
    for tick in range(ticks + 1):
        if tick and tick % every == 0:  # before the spikes of this tick
            found.append((weight, z * decay(p["tau_c"], dt), level * decay(p["tau_n"], dt)))
        level = trace_step(level, (tick in arrivals["dopamine"]) / p["tau_n"], decay(p["tau_n"], dt))
        pre, post = (torch.full((1, 1, 1, 1), float(tick in arrivals[name]), dtype=F64) for name in ("pre", "post"))
        m = torch.full((1, 1), p["tau_c"] * integral(level, dt, p), dtype=F64)  # the rule's eligibility is c / tau_c
        dw, pairs = online_tick(synapse, k, pre, post, pairs, m, lagged=False)
        z, weight = float(pairs.z[0]) * p["tau_c"], weight + float(dw)
    return np.array(found), np.array(recorded[case]["states"])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "integral"), [("nest", exact), ("brian2", euler)])
def test_trajectories_are_those_of_the_simulator(name, integral):
    found, expected = states(RECORDED[name], "apart", integral)
    assert found.shape == (200, 3)
    assert np.abs(expected).max(0) == pytest.approx(np.abs(found).max(0))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_eulers_step_is_what_sets_the_two_simulators_apart():
    """Eligibility and dopamine are the same in both; weights differ by what Euler's method is off."""
    nest, brian2 = (np.array(RECORDED[name]["apart"]["states"]) for name in ("nest", "brian2"))
    np.testing.assert_allclose(nest[:, 1:], brian2[:, 1:], rtol=1e-9, atol=1e-12)
    off = np.abs(nest[:, 0] - brian2[:, 0]).max() / np.abs(nest[:, 0]).max()
    assert 1e-6 < off < 1e-2


def test_a_pair_in_the_same_tick_counts_both_ways_here_and_otherwise_elsewhere():
    """NEST counts it as neither, Brian2 as pre before post: its presynaptic pathway acts first."""
    for name, integral, more in (("nest", exact, (-1.0, 1.0)), ("brian2", euler, (0.0, 1.0))):
        p = RECORDED[name]["model"]
        found, expected = states(RECORDED[name], "together", integral)
        left = math.exp(-(30.0 - 20.5) / p["tau_c"])
        np.testing.assert_allclose(expected[:2, 1], found[:2, 1], rtol=1e-9)
        assert expected[2, 1] == pytest.approx(
            found[2, 1] + (more[0] * p["A_plus"] + more[1] * p["A_minus"]) * left, rel=1e-9
        )


def test_nest_counts_a_pair_twice_that_arrives_within_one_delivery_of_dopamine():
    """Its delivery takes the postsynaptic spike before the presynaptic one of the same ms has come, and then takes it again.

    So c exceeds the rule's by the presynaptic trace from before that ms. Brian2 has the rule's.
    """
    found, expected = states(RECORDED["nest"], "same ms", exact)
    p, spikes = RECORDED["nest"]["model"], RECORDED["nest"]["same ms"]["spikes"]
    (first, _), (_, late) = spikes["pre"], spikes["post"]
    again = p["A_plus"] * math.exp(-(late - first) / p["tau_plus"]) * math.exp(-(30.0 - late) / p["tau_c"])
    np.testing.assert_allclose(expected[:2, 1], found[:2, 1], rtol=1e-9)
    assert expected[2, 1] == pytest.approx(found[2, 1] + again, rel=1e-9)
    np.testing.assert_allclose(*states(RECORDED["brian2"], "same ms", euler), rtol=1e-9, atol=1e-12)
