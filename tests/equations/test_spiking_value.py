import numpy as np
import pytest
import torch

from rstdp_agents.equations.spiking_value import (
    FAINT,
    HIGHEST,
    LOWEST,
    ROOM,
    START,
    calcium_gate,
    critic_bounds,
    critic_tick,
    reach_step,
    relay_tick,
    value_after_error,
    value_needed,
    value_of_rates,
)
from tests.equations.forms import values

V = np.linspace(-0.9, 1.0, 16)


def test_a_relay_neuron_fires_regularly():
    spike, after = relay_tick(torch.from_numpy(V), 0.3)
    for v, one, left in zip(V, spike, after, strict=True):
        assert relay_tick(v, 0.3) == (one, left)
    assert spike.tolist() == (V + 0.3 >= 1.0).tolist()
    v, fired = START, []
    for _ in range(12):
        spike, v = relay_tick(v, 0.25)
        fired.append(bool(spike))
    assert np.flatnonzero(fired).tolist() == [1, 5, 9]


def test_a_critic_neuron_integrates_what_it_fires_without_input_and_what_its_inputs_add():
    current = np.linspace(-6.0, 6.0, 16)
    expected = np.clip(V + 0.25 * (1 + current / (4.0 * 2.0)), LOWEST, HIGHEST)
    assert values(critic_tick, (V, current), 4.0, 0.25, 2.0) == pytest.approx(expected)
    assert critic_tick(1.9, 50.0, 1.0, 0.25, 2.0) == HIGHEST
    assert critic_tick(0.0, -50.0, 1.0, 0.25, 2.0) == LOWEST


def test_rates_say_the_value_that_weights_of_either_sign_ask_for():
    worth, reach, tonic = torch.linspace(-3.0, 3.0, 16), 4.0, 0.125
    plus, minus = (critic_tick(0 * worth, sign * worth, 1.0, tonic, reach) for sign in (1, -1))
    assert values(value_of_rates, (plus, minus), tonic, reach) == pytest.approx(worth.numpy())


def test_a_value_moves_by_what_its_weights_ask_for_more():
    value, asked, asks = np.linspace(-1.0, 1.0, 16), np.linspace(3.0, -3.0, 16), np.linspace(0.0, 5.0, 16)
    assert values(value_after_error, (value, asked, asks)) == pytest.approx(value + asks - asked)


def test_neurons_that_have_fired_of_late_learn_and_the_others_do_not():
    calcium = np.linspace(0.0, 0.3, 16)
    assert values(calcium_gate, (calcium,)) == pytest.approx((calcium >= 0.1).astype(float))


def test_a_synapse_unlearns_no_more_than_it_began_with():
    assert critic_bounds(2.0, inhibitory=False) == (-2.0, np.inf)
    assert critic_bounds(2.0, inhibitory=True) == (-np.inf, 2.0)


def test_what_can_be_said_grows_with_what_is_needed_at_once_and_shrinks_slowly():
    needed = np.linspace(0.0, 10.0, 16)
    expected = np.maximum(0.5 * 8.0, ROOM * needed)
    assert values(reach_step, (np.full(16, 8.0), needed), 0.5, lanes=False) == pytest.approx(expected)
    assert reach_step(FAINT, 0.0, 0.5) == FAINT


def test_rewards_so_far_values_and_the_initial_one_need_to_be_said():
    recent, said = np.linspace(-8.0, 8.0, 16), np.linspace(50.0, -30.0, 16)
    expected = np.maximum(np.maximum(np.abs(recent), np.abs(said + 2.0)), 2.0)
    assert values(value_needed, (recent, said), -2.0, lanes=False) == pytest.approx(expected)
