"""Homeostasis of weight, bias and delay; rate estimates; adaptive threshold; the other trace forms."""

import math

import pytest
import torch

from rstdp_agents.equations.rate_control import running_rate
from rstdp_agents.equations.traces import decay, euler_decay, trace_level, trace_set, trace_set_window, trace_step
from rstdp_agents.spiking.homeostasis import (
    AdaptiveThreshold,
    adaptive_threshold_step,
    channel_mean,
    cumulative_rate,
    homeostatic_drive,
    homeostatic_parts,
    linear_homeostasis,
)
from rstdp_agents.spiking.synapses import Conv2d, Linear

F64 = torch.float64
SYNAPSE = Linear(4, 3)


def change(param, rate, target=0.4, synapse=SYNAPSE):
    rates = torch.as_tensor(rate, dtype=F64).expand(1, 2, *synapse.post_shape)
    return linear_homeostasis(synapse, param, homeostatic_drive(synapse, rates, target, 0.1))


@pytest.mark.parametrize(("param", "sign"), [("weight", 1), ("bias", 1), ("delay", -1)])
def test_above_the_target_less_and_below_it_more(param, sign):
    assert (sign * change(param, 0.8) < 0).all()
    assert (sign * change(param, 0.1) > 0).all()
    assert (change(param, 0.4) == 0).all()


def test_change_has_its_number_and_shape():
    torch.testing.assert_close(change("weight", 0.2), torch.full((1, 3, 4), 0.05, dtype=F64))
    torch.testing.assert_close(change("bias", 0.6), torch.full((1, 3), -0.05, dtype=F64))


def test_a_rate_that_follows_the_bias_settles_on_the_target():
    bias = torch.zeros(1, 3, dtype=F64)
    for _ in range(500):
        bias = bias + change("bias", torch.sigmoid(bias)[:, None], target=0.3)
    torch.testing.assert_close(torch.sigmoid(bias), torch.full_like(bias, 0.3))


def test_target_as_number_per_neuron_and_per_env():
    numbers = torch.tensor([0.2, 0.4, 0.8], dtype=F64)
    rate = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(0), dtype=F64)
    per_neuron = homeostatic_drive(SYNAPSE, rate, numbers, 0.1)
    torch.testing.assert_close(per_neuron, 0.1 * (numbers - rate) / numbers)
    torch.testing.assert_close(homeostatic_drive(SYNAPSE, rate, numbers.expand(1, 3, 3), 0.1), per_neuron)


def test_parts_split_the_envs_by_sign():
    rate = torch.tensor([0.0, 0.8], dtype=F64).reshape(1, 2, 1).expand(1, 2, 3)
    pos, neg = homeostatic_parts(SYNAPSE, "bias", homeostatic_drive(SYNAPSE, rate, 0.4, 0.1), torch.amax)
    assert pos[0].tolist() == pytest.approx([0.1] * 3)
    assert neg[0].tolist() == [0.0] * 3


def test_a_filter_is_driven_by_the_mean_of_its_positions():
    synapse = Conv2d(1, 2, (4, 4), 3, padding=1)
    drive = torch.randn(1, 1, 2, 4, 4, generator=torch.Generator().manual_seed(0), dtype=F64)
    got = linear_homeostasis(synapse, "weight", channel_mean(drive))
    torch.testing.assert_close(got, drive.mean((3, 4))[0, :, :, None, None, None].expand(1, 2, 1, 3, 3))


@pytest.mark.parametrize("target", [0.0, -0.2, math.nan])
def test_impossible_targets_are_refused(target):
    with pytest.raises(ValueError, match=r"`target` must be positive \(in the unit of `rate`\); received"):
        change("weight", 0.5, target=target)
    with pytest.raises(ValueError, match="`target` must be positive"):
        change("weight", 0.5, target=torch.tensor([0.5, 0.5, target], dtype=F64))


@pytest.mark.parametrize("shape", [(2,), (2, 3), (3, 2, 3), (1, 3, 1)])
def test_targets_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="`target` must have the axes"):
        change("weight", 0.5, target=torch.ones(shape, dtype=F64))


def test_rates_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"`rate` must have the axes \(agents, envs, post0=3\)"):
        homeostatic_drive(SYNAPSE, torch.zeros(1, 2, 4), 0.5, 0.1)


def test_unknown_parameters_are_refused_with_the_near_one():
    with pytest.raises(ValueError, match="did you mean 'weight'"):
        change("weights", 0.5)


def test_cumulative_and_running_rate():
    spikes = (torch.rand(40, 3, generator=torch.Generator().manual_seed(0), dtype=F64) < 0.3).double()
    mean = running = torch.zeros(3, dtype=F64)
    for step, now in enumerate(spikes, 1):
        mean, running = cumulative_rate(mean, now, step), running_rate(running, now, 1 - decay(10.0, 1.0))
    torch.testing.assert_close(mean, spikes.mean(0))
    weights = (1 - math.exp(-0.1)) * torch.exp(-0.1 * torch.arange(39, -1, -1, dtype=F64))
    torch.testing.assert_close(running, weights @ spikes)


def test_adaptive_threshold_rises_with_spikes_and_decays():
    p, theta = AdaptiveThreshold(increment=0.1, tau=50.0), torch.zeros(2, dtype=F64)
    for fired in ([1.0, 0.0], [1.0, 0.0], [0.0, 0.0]):
        theta = adaptive_threshold_step(theta, torch.tensor(fired, dtype=F64), p, 1.0)
    d = math.exp(-1 / 50)
    assert theta.tolist() == pytest.approx([0.1 * (d * d + d), 0.0])


def test_a_spike_sets_its_trace():
    spikes = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0], dtype=F64)
    window = trace_set_window(torch.tensor(0.6, dtype=F64), spikes, 0.5)
    assert window.tolist() == [0.3, 1.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(("step", "on_spike"), [(trace_step, "add"), (trace_set, "set")])
def test_trace_level_is_the_mean_trace_of_random_spikes(step, on_spike):
    generator, d = torch.Generator().manual_seed(0), decay(20.0, 1.0)
    trace, total = torch.zeros(4000, dtype=F64), 0.0
    for tick in range(300):
        trace = step(trace, (torch.rand(4000, generator=generator, dtype=F64) < 0.03).double(), d)
        total += trace.mean().item() if tick >= 150 else 0.0
    assert total / 150 == pytest.approx(trace_level(30.0, 1.0, d, on_spike), rel=0.02)


def test_euler_decay_tends_to_the_exponential_and_refuses_to_flip():
    assert euler_decay(20.0, 1.0) == 0.95
    assert euler_decay(20.0, 1e-4) == pytest.approx(decay(20.0, 1e-4), abs=2e-11)
    with pytest.raises(ValueError, match=r"at least dt=1.0 \(ms\) for an Euler decay; received 0.5"):
        euler_decay(0.5, 1.0)
