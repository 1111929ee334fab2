import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from rstdp_agents.codecs.transition import Transition
from rstdp_agents.equations.rate_control import HomeostasisParams
from rstdp_agents.spiking.homeostasis import HomeostasisState, homeostasis_init, homeostasis_window
from tests.helpers import cartpole_agent, observations

F64, CPU = torch.float64, torch.device("cpu")


def offsets(counts, windows=50, **settings):
    p = HomeostasisParams(rate_target=100.0, tau_rate=100.0, tau=1000.0, **settings)
    state = homeostasis_init((1, 1), p, CPU, F64)
    for _ in range(windows):
        state = homeostasis_window(torch.tensor([[100.0 * counts]], dtype=F64), state, p, 10.0)
    return state


def test_rate_above_target_lowers_excitability_and_below_raises_it():
    assert offsets(3).offset.item() < 0 < offsets(0).offset.item()
    assert offsets(1).offset.item() == pytest.approx(0.0)  # one spike in 10 ms is the target


def test_rate_estimate_is_in_hz_and_converges():
    assert offsets(3, windows=500).rate.item() == pytest.approx(300.0)


def test_one_window_changes_the_offset_by_its_equation():
    state = offsets(0, windows=1)
    rate = 100.0 * torch.exp(torch.tensor(-0.1, dtype=F64)).item()
    assert state.rate.item() == pytest.approx(rate)
    assert state.offset.item() == pytest.approx(0.01 * (100.0 - rate) / 100.0)


def test_offset_stays_within_its_limit_and_none_moves_nothing():
    assert offsets(0, windows=5000, limit=0.2).offset.item() == 0.2
    assert offsets(0, param="none").offset.item() == 0.0


def test_the_mean_of_a_layer_moves_all_its_neurons_alike_over_channels_and_positions():
    p = HomeostasisParams(rate_target=100.0, tau_rate=100.0, tau=1000.0)
    rate, offset = (torch.linspace(*ends, 120, dtype=F64).reshape(2, 3, 4, 5) for ends in ((0.0, 400.0), (-0.2, 0.2)))
    state = homeostasis_window(rate, HomeostasisState(rate, offset), p, 10.0)
    means = rate.mean((1, 2, 3))
    moved = (0.01 * (100.0 - means) / 100.0)[:, None, None, None].expand_as(offset)
    torch.testing.assert_close(state.offset - offset, moved, rtol=1e-12, atol=1e-15)
    assert (means[0] - means[1]).abs() > 1.0  # agents by themselves


def test_every_neuron_by_itself_is_moved_by_its_own_rate():
    p = HomeostasisParams(scope="neuron", rate_target=100.0, tau_rate=100.0, tau=1000.0)
    rate, none = torch.tensor([[0.0, 100.0, 300.0]], dtype=F64), torch.zeros(1, 3, dtype=F64)
    state = homeostasis_window(rate, HomeostasisState(rate, none), p, 10.0)
    torch.testing.assert_close(state.offset, torch.tensor([[0.01, 0.0, -0.02]], dtype=F64))


def test_a_neuron_below_the_floor_raises_its_own_offset_and_no_other():
    """Mean 60 Hz, below the target by 0.4 for all; 5 Hz is below a floor of 20 by 0.75 more."""
    p = HomeostasisParams(rate_target=100.0, tau_rate=100.0, tau=1000.0, floor=20.0)
    rate, none = torch.tensor([[5.0, 20.0, 155.0]], dtype=F64), torch.zeros(1, 3, dtype=F64)
    state = homeostasis_window(rate, HomeostasisState(rate, none), p, 10.0)
    torch.testing.assert_close(state.offset, torch.tensor([[0.0115, 0.004, 0.004]], dtype=F64))


def test_the_correction_is_the_same_for_windows_of_any_length_and_inf_leaves_it_as_it_is():
    rate, none = torch.zeros(1, 1, dtype=F64), torch.zeros(1, 1, dtype=F64)
    p = HomeostasisParams(rate_target=100.0, tau=2000.0)
    for window in (10.0, 100.0):
        state = HomeostasisState(rate, none)
        for _ in range(round(1000.0 / window)):
            state = homeostasis_window(rate, state, p, window)
        assert state.offset.item() == pytest.approx(0.5)
    still = HomeostasisState(rate, none + 0.3)
    assert homeostasis_window(rate, still, replace(p, tau=math.inf), 10.0).offset.item() == 0.3


@pytest.mark.parametrize("backend", ["torch", "fused"])
@pytest.mark.parametrize("fresh", [True, False])
def test_gain_scales_the_currents_of_all_synapses_of_a_neuron(backend, fresh):
    """Offsets of ln 2 are weights of twice the size, but for their bounds; a window later every spike is the same."""
    changes = {"homeostasis.param": "gain", "homeostasis.tau": math.inf, "plasticity.lr": 0.0, "plasticity.w_init": 0.5}
    agents = [
        cartpole_agent(range(2), backend=backend, **changes, **{"simulation.fresh_each_window": fresh}) for _ in "ab"
    ]
    agents[0].layer.homeostasis.offset.fill_(math.log(2.0))
    agents[1].layer.weight.mul_(2.0)
    none, spikes = np.zeros((2, 1), dtype=bool), ([], [])
    for agent, seen in zip(agents, spikes, strict=True):
        agent.begin(observations(2, 1, 0))
        for window in range(1, 5):
            seen.append(agent.spikes()[1].clone())
            agent.step(Transition(observations(2, 1, window), np.zeros((2, 1)), none, none))
    assert all(torch.equal(*pair) for pair in zip(*spikes, strict=True))
    assert sum(one.sum() for one in spikes[0]) > 50


@pytest.mark.parametrize("target", [100.0, 250.0])
@pytest.mark.parametrize("start", [-1.0, 3.0], ids=["silent", "too active"])
def test_the_defaults_bring_the_mean_rate_to_its_target_and_hold_it(target, start):
    default = HomeostasisParams()
    settings = {f"homeostasis.{name}": getattr(default, name) for name in ("scope", "tau", "limit")}
    settings |= {"homeostasis.rate_target": target, "plasticity.lr": 0.0, "decoder.neurons_per_action": 9}
    agent = cartpole_agent(range(2), backend="fused", **settings)
    agent.layer.homeostasis.offset.fill_(start)
    none, seen, rates = np.zeros((2, 1), dtype=bool), [observations(2, 1, i) for i in range(50)], []
    agent.begin(seen[0])
    for window in range(1, 12_001):
        agent.step(Transition(seen[window % 50], np.zeros((2, 1)), none, none))
        if window in (300, 10_000, 12_000):
            rates.append(agent.statistics.spikes[1].mean(1) / agent.statistics.windows * 100.0)
            agent.statistics.clear()
    assert (rates[0] < 5.0).all() if start < 0 else (rates[0] > 450.0).all()
    assert rates[2] == pytest.approx(target, rel=0.05)
    offset = agent.layer.homeostasis.offset
    assert torch.equal(offset, offset[:, :1].expand_as(offset))  # no action is favoured


@pytest.mark.parametrize("field", ["tau_rate", "tau", "limit"])
def test_impossible_parameters_are_refused(field):
    with pytest.raises(ValueError, match=f"`{field}` must be positive"):
        HomeostasisParams(**{field: 0.0})
    for rate in ("rate_target", "floor"):
        with pytest.raises(ValueError, match=f"`{rate}` must not be negative"):
            HomeostasisParams(**{rate: -1.0})


@pytest.mark.parametrize(
    ("changes", "most"), [({}, 500.0), ({"neuron.t_ref": 0.0}, 1000.0), ({"neuron.t_ref": 3.0}, 250.0)]
)
def test_a_target_that_no_neuron_can_reach_is_refused(changes, most):
    cartpole_agent(**changes, **{"homeostasis.rate_target": most})
    with pytest.raises(ValueError, match=rf"at most \({most:g} Hz\)"):
        cartpole_agent(**changes, **{"homeostasis.rate_target": most + 1.0})
    cartpole_agent(**changes, **{"homeostasis.rate_target": 5000.0, "homeostasis.param": "none"})
    suited = cartpole_agent(**changes, **{"homeostasis.rate_target": 0.0}).layer.homeostasis_params.rate_target
    assert suited == min(250.0, most / 2)


@pytest.mark.parametrize(
    ("changes", "targets"),
    [
        ({}, [50.0, 50.0, 250.0]),
        ({"network.hidden_hz": 40.0, "decoder.choice_hz": 200.0}, [40.0, 40.0, 200.0]),
        ({"network.hidden_hz": 450.0, "neuron.t_ref": 3.0}, [125.0, 125.0, 125.0]),
        ({"homeostasis.rate_target": 30.0}, [30.0, 30.0, 30.0]),
    ],
    ids=["defaults", "both set", "beyond what neurons fire", "one for all layers"],
)
def test_every_layer_is_held_at_the_rate_that_suits_it_or_at_the_given_one(changes, targets):
    changes = {"homeostasis.rate_target": 0.0, "network.hidden": (6, 5), **changes}
    agent = cartpole_agent(**changes)
    assert [layer.homeostasis_params.rate_target for layer in agent.network.layers] == targets
    assert [layer.homeostasis.rate.unique().item() for layer in agent.network.layers] == targets
    with pytest.raises(ValueError, match="`hidden_hz` must be positive"):
        cartpole_agent(**{"network.hidden_hz": 0.0})


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        ({}, (1000.0, 500.0)),
        ({"network.hidden_tau": 100_000.0, "homeostasis.tau_rate": 5000.0}, (100_000.0, 5000.0)),
        ({"network.hidden_tau": 4000.0, "homeostasis.tau_rate": 7000.0}, (4000.0, 2000.0)),
    ],
    ids=["defaults", "an estimate that is fast enough", "one that would swing"],
)
def test_hidden_layers_have_a_time_constant_of_their_own_and_an_estimate_that_is_twice_as_fast(changes, times):
    agent = cartpole_agent(**{"network.hidden": (6,), **changes})
    hidden, output = (layer.homeostasis_params for layer in agent.network.layers)
    assert (hidden.tau, hidden.tau_rate) == times
    p = agent.config.homeostasis
    assert (output.tau, output.tau_rate) == (p.tau, p.tau_rate)


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_choices_go_by_differences_of_rates_in_units_of_their_target(backend):
    changes = {"decoder.choice_hz": 200.0, "decoder.inverse_temperature": 8.0, "neuron.t_ref": 0.0, "backend": backend}
    agents = [cartpole_agent(**changes, **{"homeostasis.rate_target": target}) for target in (0.0, 50.0)]
    rates = torch.tensor([[[0.3, 0.1]]])
    as_held, at_a_quarter = (
        agent.parts.exploration.decoder.policy(part * rates, None, torch.zeros(1, 1, 1))
        for agent, part in zip(agents, (1.0, 0.25), strict=True)
    )
    torch.testing.assert_close(as_held, at_a_quarter)
    assert [agent.parts.config.decoder.inverse_temperature for agent in agents] == [8.0, 32.0]


def test_hidden_layers_hold_still_where_their_time_constant_is_infinite_and_in_a_frozen_copy():
    agents = (
        cartpole_agent(**{"network.hidden": (6,), "network.hidden_tau": math.inf}),
        cartpole_agent(**{"network.hidden": (6,)}).single(0, frozen=True),
    )
    for agent in agents:
        before = agent.network.hidden[0].homeostasis.offset.clone()
        agent.begin(observations(1, 1))
        for i in range(10):
            none = np.zeros((1, 1), dtype=bool)
            agent.step(Transition(observations(1, 1, i), np.ones((1, 1)), none, none))
        assert torch.equal(agent.network.hidden[0].homeostasis.offset, before)
    with pytest.raises(ValueError, match=r"`hidden_tau` must be positive \(ms\); received 0.0"):
        cartpole_agent(**{"network.hidden": (6,), "network.hidden_tau": 0.0})
