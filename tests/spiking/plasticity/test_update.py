"""Bounds, reductions, normalisation and trace STDP: numbers, limits and symmetries."""

import pytest
import torch

from rstdp_agents.spiking.plasticity.bounds import PowerBound, SharpBound, bounded_change
from rstdp_agents.spiking.plasticity.trace_stdp import TraceSTDPParams, trace_stdp, trace_stdp_update
from rstdp_agents.spiking.plasticity.update import modulate, modulate_parts, normalise
from rstdp_agents.spiking.reductions import add_envs, mean_envs, per_weight
from rstdp_agents.spiking.synapses import Conv2d, ConvTranspose2d, Lateral, Linear

F64 = torch.float64


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=F64)


@pytest.mark.parametrize("reduce", [mean_envs, add_envs, torch.amax, torch.sum])
def test_any_reduction_over_the_envs(reduce):
    z, m = random(2, 3, 4, 5), random(2, 3, seed=1)
    torch.testing.assert_close(modulate((z,), (m,), reduce), reduce(m[..., None, None] * z, 1))


def test_parts_are_magnitudes_and_their_difference_is_the_update():
    z, m = (random(2, 3, 4, 5).abs(), -random(2, 3, 4, 5, seed=1).abs()), random(2, 3, seed=2)
    pos, neg = modulate_parts(z, (m, m), mean_envs)
    assert (pos >= 0).all()
    assert (neg >= 0).all()
    torch.testing.assert_close(pos - neg, modulate(z, (m, m)))
    swapped = modulate_parts(z, (-m, -m), mean_envs)
    torch.testing.assert_close(swapped, (neg, pos))


def test_reward_per_output_is_exact_where_no_weight_is_shared():
    reward, z = random(2, 3, 4), random(2, 3, 4, 5, seed=1)
    update = modulate((z,), (per_weight(Linear(5, 4), reward),))
    torch.testing.assert_close(update, (reward[..., None] * z).mean(1))


@pytest.mark.parametrize("synapse", [Conv2d(2, 3, 4, 2), ConvTranspose2d(2, 3, 3, 2)], ids=["conv", "deconv"])
def test_a_reward_per_channel_reaches_its_weights(synapse):
    reward = random(1, 2, 3)
    everywhere = reward[..., None, None].expand(1, 2, *synapse.post_shape)
    channel = {"conv": 2, "deconv": 3}["conv" if isinstance(synapse, Conv2d) else "deconv"]
    got = per_weight(synapse, everywhere).movedim(channel, 2).flatten(3)
    torch.testing.assert_close(got, reward[..., None].expand_as(got))


def test_a_weight_that_feeds_nothing_gets_nothing():
    assert per_weight(Lateral(3), torch.ones(1, 1, 3))[0, 0].diagonal().tolist() == [0.0, 0.0, 0.0]


W = torch.tensor([-0.5, 0.0, 0.5, 1.0, 1.5], dtype=F64)


@pytest.mark.parametrize(
    ("bound", "factors"),
    [
        (PowerBound(1.0), [1.5, 1.0, 0.5, 0.0, -0.5]),
        (PowerBound(1.0, 2.0), [2.25, 1.0, 0.25, 0.0, -0.25]),
        (PowerBound(1.0, 0.5), [1.5**0.5, 1.0, 0.5**0.5, 0.0, -(0.5**0.5)]),
        (PowerBound(1.0, 1.0, 2.0), [0.75, 0.5, 0.25, 0.0, -0.25]),
        (SharpBound(1.0), [1.0, 1.0, 1.0, 0.0, 0.0]),
    ],
)
def test_soft_upper_bounds(bound, factors):
    assert bounded_change(W, torch.ones_like(W), torch.ones_like(W), bound, None).tolist() == pytest.approx(
        [f - 1.0 for f in factors]
    )


def test_lower_bound_mirrors_the_upper_one():
    pos, neg = random(5).abs(), random(5, seed=1).abs()
    up = bounded_change(W, pos, neg, PowerBound(1.0, 0.7), SharpBound(-0.2))
    down = bounded_change(-W, neg, pos, SharpBound(0.2), PowerBound(-1.0, 0.7))
    torch.testing.assert_close(up, -down)


def test_no_bounds_leave_the_update_alone():
    assert bounded_change(W, 2 * torch.ones_like(W), torch.ones_like(W), None, None).tolist() == [1.0] * 5


def test_soft_bounds_hold_the_weight_under_many_small_updates():
    w, pos, neg = torch.full((5,), 0.5, dtype=F64), torch.full((5,), 0.05, dtype=F64), torch.zeros(5, dtype=F64)
    for _ in range(1000):
        w = w + bounded_change(w, pos, neg, PowerBound(1.0, 0.7), PowerBound(0.0, 0.7))
    torch.testing.assert_close(w, torch.ones_like(w), rtol=0, atol=0.05)


@pytest.mark.parametrize("wrong", [{"exponent": 0.0}, {"scale": -1.0}])
def test_impossible_bounds_are_refused(wrong):
    with pytest.raises(ValueError, match="must be positive"):
        PowerBound(1.0, **wrong)


def test_normalise_makes_equal_sums_and_spares_silent_neurons():
    weight = random(2, 4, 5)
    weight[0, 1] = 0.0
    normalise(weight, 1.2)
    sums = weight.abs().sum(2)
    assert sums[0, 1].item() == 0.0
    torch.testing.assert_close(sums[1], torch.full((4,), 1.2, dtype=F64))
    deconv = random(1, 2, 3, 2, 2)
    normalise(deconv, 0.7, post_axis=2)
    torch.testing.assert_close(deconv.abs().sum((1, 3, 4)), torch.full((1, 3), 0.7, dtype=F64))


def test_trace_stdp_by_hand_and_at_its_target():
    p = TraceSTDPParams(a_plus=2.0, a_minus=0.5, x_target=0.3)
    one = torch.ones(1, 1, 1, 1, dtype=F64)
    assert trace_stdp(Linear(1, 1), one, one, 0.7 * one, 0.4 * one, p).item() == pytest.approx(2.0 * 0.4 - 0.5 * 0.4)
    assert trace_stdp(Linear(1, 1), 0 * one, one, 0.3 * one, one, p).item() == 0.0


def test_trace_stdp_update_decays_then_clips():
    weight = torch.tensor([0.5, 0.9], dtype=F64)
    trace_stdp_update(weight, torch.tensor([1.0, 10.0], dtype=F64), 0.1, TraceSTDPParams(weight_decay=0.2, w_max=1.0))
    assert weight.tolist() == pytest.approx([0.5, 0.99])


@pytest.mark.parametrize("wrong", [{"weight_decay": -0.1}, {"w_max": -1.0}, {"w_max": 0.015}])
def test_impossible_trace_stdp_is_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        TraceSTDPParams(**wrong)
