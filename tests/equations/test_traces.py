import math

import numpy as np
import pytest
import torch

from rstdp_agents.equations.traces import along_ticks, decay, powers, trace_kernel, trace_set, trace_step, trace_window
from tests.equations.forms import values


def test_decay_is_exponential_with_its_limits():
    assert decay(20.0, 0.5) == pytest.approx(math.exp(-0.025))
    assert decay(0.0, 1.0) == 0.0
    assert decay(math.inf, 1.0) == 1.0


def test_single_spike_decays_geometrically():
    spikes = torch.zeros(5, 1, dtype=torch.float64)
    spikes[1] = 1
    trace = trace_window(torch.zeros(1, dtype=torch.float64), spikes, 0.5)
    assert trace[:, 0].tolist() == [0, 1, 0.5, 0.25, 0.125]


@pytest.mark.parametrize("d", [0.0, 0.7, 1.0])
def test_window_of_traces_is_the_step_repeated(d):
    generator = torch.Generator().manual_seed(0)
    spikes = (torch.rand(12, 2, 3, 4, generator=generator, dtype=torch.float64) < 0.4).double()
    start = torch.rand(2, 3, 4, generator=generator, dtype=torch.float64)
    trace, expected = start, []
    for spike in spikes:
        trace = trace_step(trace, spike, d)
        expected.append(trace)
    torch.testing.assert_close(trace_window(start, spikes, d), torch.stack(expected), rtol=0, atol=1e-14)


def test_kernel_and_powers():
    assert trace_kernel(3, 0.5).tolist() == [[1, 0, 0], [0.5, 1, 0], [0.25, 0.5, 1]]
    assert powers(0.5, 1, 3).tolist() == [0.5, 0.25, 0.125]
    assert along_ticks(torch.ones(1, 3), torch.arange(6.0).reshape(3, 2)).tolist() == [[6.0, 9.0]]


def test_a_trace_decays_then_adds_in_every_form():
    trace, spikes = np.linspace(0, 3, 16), np.array([1.0, 0.0] * 8)
    assert values(trace_step, (trace, spikes), 0.75, 0.5) == pytest.approx(0.75 * trace + 0.5 * spikes)
    assert values(trace_step, (trace, spikes), 0.75) == pytest.approx(0.75 * trace + spikes)
    assert values(trace_set, (trace, spikes), 0.75, 0.5) == pytest.approx(np.where(spikes, 0.5, 0.75 * trace))
