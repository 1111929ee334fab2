"""Delays: numbers of the interpolation, the memory of the line, and what is refused."""

import math

import pytest
import torch

from rstdp_agents.equations.traces import decay, trace_window
from rstdp_agents.spiking.plasticity import RSTDPET
from rstdp_agents.spiking.plasticity.window import pair_init, pair_kernels, pair_window
from rstdp_agents.spiking.synapses import Conv2d, Delayed, Linear, delay_init, delay_window
from rstdp_agents.spiking.synapses.delayed import delayed_hebb, linear_taps, older_taps

AGENTS, ENVS, F64 = 2, 3, torch.float64


def draw(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(len(shape)), dtype=F64)


def conv():
    synapse = Conv2d(1, 2, 4, 3)
    return Delayed(synapse, draw(AGENTS, *synapse.weight_shape) * 3, max_delay=3.0, dt=0.5)


def arrivals(delay, ticks=6, dt=1.0):
    """Current of one synapse of weight 1, tick by tick, after a single spike at tick 0."""
    synapse = Delayed(Linear(1, 1), torch.full((1, 1, 1), delay), max_delay=4.0, dt=dt)
    pre = torch.zeros(ticks, 1, 1, 1)
    pre[0] = 1
    lines, _ = delay_window(synapse, pre, delay_init(synapse, envs=1))
    return synapse.current(lines, torch.ones(1, 1, 1)).flatten().tolist()


@pytest.mark.parametrize(
    ("delay", "dt", "want"),
    [
        (0.0, 1.0, [1, 0, 0, 0, 0, 0]),
        (2.0, 1.0, [0, 0, 1, 0, 0, 0]),
        (2.25, 1.0, [0, 0, 0.75, 0.25, 0, 0]),
        (4.0, 1.0, [0, 0, 0, 0, 1, 0]),
        (1.75, 0.5, [0, 0, 0, 0.5, 0.5, 0]),
    ],
)
def test_a_spike_arrives_after_its_delay_and_in_two_parts_between_ticks(delay, dt, want):
    assert arrivals(delay, dt=dt) == pytest.approx(want)


def test_a_window_is_its_ticks_one_after_the_other_with_the_line_carried_over():
    synapse = conv()
    pre, weight = draw(9, AGENTS, ENVS, *synapse.synapse.pre_shape), draw(AGENTS, *synapse.weight_shape)
    lines, last = delay_window(synapse, pre, delay_init(synapse, ENVS))
    state, by_tick = delay_init(synapse, ENVS), []
    for tick in pre.split(1):
        line, state = delay_window(synapse, tick, state)
        by_tick.append(synapse.current(line, weight))
    torch.testing.assert_close(synapse.current(lines, weight), torch.cat(by_tick), rtol=1e-12, atol=1e-12)
    assert torch.equal(state.history, last.history)


def test_a_reset_row_is_a_fresh_one_and_the_others_go_on():
    synapse, rows = conv(), (3, AGENTS, ENVS, *conv().synapse.pre_shape)
    _, state = delay_window(synapse, draw(*rows), delay_init(synapse, ENVS))
    going_on, _ = delay_window(synapse, draw(*rows), state)
    fresh, _ = delay_window(synapse, draw(*rows), delay_init(synapse, ENVS))
    done = torch.tensor([[True, False, False], [False, True, False]])
    state.history[done] = 0
    after, _ = delay_window(synapse, draw(*rows), state)
    assert torch.equal(after[:, done], fresh[:, done])
    assert torch.equal(after[:, ~done], going_on[:, ~done])


def test_a_rule_sees_the_same_pairs_in_a_window_and_tick_by_tick():
    synapse, rule, dt = conv(), RSTDPET(a_plus=1.0, a_minus=0.7, tau_plus=5.0, tau_minus=8.0, tau_e=20.0), 0.5
    pre = (draw(8, AGENTS, ENVS, *synapse.synapse.pre_shape) < 0.4).to(F64)
    post = (draw(8, AGENTS, ENVS, *synapse.post_shape) < 0.4).to(F64)

    def eligibility(ticks):
        kernels = pair_kernels(rule, ticks, dt, pre.device, F64)
        pairs = pair_init(synapse, rule, AGENTS, ENVS, pre.device, F64)
        line = delay_init(synapse, ENVS)
        for pre_window, post_window in zip(pre.split(ticks), post.split(ticks)):
            lines, line = delay_window(synapse, pre_window, line)
            pairs = pair_window(synapse, kernels, lines, post_window, pairs)
        return pairs.z[0]

    torch.testing.assert_close(eligibility(8), eligibility(1), rtol=1e-10, atol=1e-12)


def test_the_taps_of_older_values_decay_them_up_to_the_delay():
    delay = torch.tensor([[0.0, 1.0, 1.25, 3.0]], dtype=F64)
    held = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert older_taps(delay, 4, 1.0)[0].T.tolist() == held
    assert older_taps(delay, 4, 1.0, tau=10.0)[0, 2, 2].item() == pytest.approx(math.exp(-0.075))
    third = torch.tensor([[0.3]])
    assert older_taps(third, 4, 0.1)[0, :, 0].tolist() == [0, 0, 0, 1]


def test_traces_and_spikes_are_looked_up_at_every_synapses_delay():
    """With whole ticks the two readings agree; between ticks the older trace has decayed and the older spike has not."""
    synapse = Delayed(Linear(2, 1), torch.tensor([[[2.0, 1.5]]], dtype=F64), max_delay=2.0, dt=1.0)
    spikes = torch.zeros(4, 1, 1, 2, dtype=F64)
    spikes[1] = 1
    trace = trace_window(torch.zeros(1, 1, 2, dtype=F64), spikes, decay(5.0, 1.0))
    now = torch.ones(1, 1, 1, 1, dtype=F64)

    def read(taps, values):
        lines, _ = delay_window(synapse, values, delay_init(synapse, 1))
        return [delayed_hebb(synapse.synapse, taps, now, line[None]).flatten().tolist() for line in lines]

    assert read(older_taps(synapse.delay, 3, 1.0), spikes)[3] == [1, 1]
    assert read(older_taps(synapse.delay, 3, 1.0, tau=5.0), trace)[3] == pytest.approx([1, math.exp(-0.1)])
    assert read(linear_taps(synapse.delay, 3, 1.0), spikes)[3] == [1, 0.5]


def test_writing_into_the_delay_is_followed_and_checked():
    synapse = Delayed(Linear(1, 1), torch.zeros(1, 1, 1), max_delay=2.0, dt=1.0)
    lines = torch.tensor([1.0, 0.0, 0.5]).reshape(1, 1, 1, 3, 1)
    weight = torch.ones(1, 1, 1)
    assert synapse.current(lines, weight).item() == 1
    synapse.delay.fill_(2.0)
    assert synapse.current(lines, weight).item() == 0.5
    synapse.delay.fill_(2.5)
    with pytest.raises(ValueError, match=r"`delay` must be at most `max_delay` = 2.0 ms, .* received 2.5 ms"):
        synapse.current(lines, weight)


@pytest.mark.parametrize(
    ("delay", "message"),
    [
        (torch.full((1, 2, 3), -0.5), r"`delay` must not be negative \(ms\); received -0.5"),
        (torch.full((1, 2, 3), 7.0), r"`delay` must be at most `max_delay` = 5.0 ms, .* received 7.0 ms"),
        (torch.full((1, 2, 3), math.nan), r"`delay` must not be negative \(ms\); received nan"),
        (torch.ones(2, 3), r"`delay` must have the axes \(agents, post=2, pre=3\); received the shape \(2, 3\)"),
    ],
)
def test_a_delay_that_the_buffer_cannot_hold_is_refused(delay, message):
    with pytest.raises(ValueError, match=message):
        Delayed(Linear(3, 2), delay, max_delay=5.0, dt=1.0)


def test_delays_for_another_population_are_refused():
    synapse = Delayed(Linear(3, 2), torch.ones(1, 2, 3), max_delay=1.0, dt=1.0)
    with pytest.raises(ValueError, match=r"`delay` must have the axes \(agents=4, .* received the shape \(1, 2, 3\)"):
        synapse.current(torch.ones(1, 4, 1, 2, 3), torch.ones(4, 2, 3))
    with pytest.raises(ValueError, match=r"`delay` must have the axes \(agents=4"):
        synapse.hebb(torch.ones(1, 4, 1, 2), torch.ones(1, 4, 1, 2, 3))
    with pytest.raises(ValueError, match=r"`pre` must have the axes \(ticks, agents=1, envs=2, pre=3\)"):
        delay_window(synapse, torch.ones(5, 1, 1, 3), delay_init(synapse, envs=2))


@pytest.mark.parametrize(
    ("max_delay", "dt", "message"), [(-1.0, 1.0, r"`max_delay` .* \(ms\)"), (1.0, 0.0, r"`dt` .* \(ms\)")]
)
def test_a_line_of_no_length_in_time_is_refused(max_delay, dt, message):
    with pytest.raises(ValueError, match=message):
        Delayed(Linear(1, 1), torch.zeros(1, 1, 1), max_delay=max_delay, dt=dt)
