"""Exclusive or: what the input looks like, what the network keeps to, and that reward is what teaches it."""

import numpy as np
import pytest
import torch

from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.plasticity import RSTDPET
from rstdp_agents.tools.demos.command import command
from rstdp_agents.tools.demos.xor import SETUPS, Args, clear, experiment, main, margin
from rstdp_agents.tools.demos.xor_network import Network, NetworkParams
from rstdp_agents.tools.demos.xor_task import BITS, TARGET, Task

CPU = torch.device("cpu")


def draw(task, seeds=(1, 2), presentations=1):
    """Presentations of the four patterns, ``(ticks, seeds, patterns, inputs)`` each."""
    random = AgentRandom(seeds, CPU, torch.float32)
    symbols, pattern = task.symbols(random), torch.arange(len(BITS)).repeat(len(seeds), 1)
    return [task.present(pattern, symbols, random) for _ in range(presentations)]


def test_rate_code_fires_at_its_rate_for_one_and_not_for_zero():
    (spikes,) = draw(Task("rate", inputs=60, duration=2000.0))
    rates = 1000.0 * spikes.mean((0, 1)).reshape(len(BITS), 2, 30).mean(-1)
    np.testing.assert_allclose(rates, 40.0 * np.array(BITS), atol=1.5)
    assert not spikes[:, :, 0].any()


def test_rate_code_is_new_in_every_presentation_and_neurons_fire_independently():
    first, second = draw(Task("rate", inputs=60), presentations=2)
    assert not first.equal(second)
    correlation = np.corrcoef(first[:, 0, 3].T.numpy())
    assert abs(correlation[~np.eye(60, dtype=bool)]).max() < 0.3


def test_temporal_code_is_two_trains_for_each_network_that_never_change():
    first, second = draw(SETUPS["temporal"][0], presentations=2)
    assert first.equal(second)
    assert (first.sum(0) == 50).all()
    zero, one = first[:, :, 0, 0], first[:, :, 3, 0]
    assert not zero.equal(one)
    assert not one[:, 0].equal(one[:, 1])
    for pattern, bits in enumerate(BITS):
        for neuron, bit in enumerate(bits):
            assert first[:, :, pattern, neuron].equal(one if bit else zero)


def test_a_seed_draws_the_same_alone_and_in_a_population():
    task = Task("rate", inputs=60)
    assert draw(task, (7,))[0][:, 0].equal(draw(task, (3, 7))[0][:, 1])


def test_reward_is_exclusive_or():
    assert [target > 0 for target in TARGET] == [a != b for a, b in BITS]


@pytest.mark.parametrize(
    ("rates", "hz", "clearly"),
    [
        ([0, 20, 30, 5], 15, True),
        ([0, 20, 30, 15], 5, False),
        ([0, 20, 30, 25], -5, False),
        ([0, 0, 0, 0], 0, False),
        ([0, 3, 3, 0], 3, False),
    ],
)
def test_margin_and_clear_pass(rates, hz, clearly):
    assert margin(np.array(rates, dtype=float)) == hz
    assert clear(np.array(rates, dtype=float)) == clearly


@pytest.mark.parametrize("code", SETUPS)
def test_weights_keep_their_bounds_and_signs(code):
    task, p = SETUPS[code]
    random = AgentRandom((0, 1), CPU, torch.float32)
    network = Network(p, RSTDPET(a_minus=1.0), torch.tensor([0.0, 50.0]), random, task.dt)
    before = [weight.clone() for weight in network.weights]
    pattern = torch.tensor([[1], [1]])
    network.learn(task.present(pattern, task.symbols(random), random), torch.ones(2, 1))
    for weight, start, (low, high) in zip(network.weights, before, network.bounds, strict=True):
        assert ((weight >= low) & (weight <= high)).all()
        assert weight[0].equal(start[0])
        assert not weight[1].equal(start[1])
    if p.fixed_signs:
        assert (network.weights[0][..., ::2] >= 0).all()
        assert (network.weights[0][..., 1::2] <= 0).all()


@pytest.mark.slow
def test_learning_beats_the_frozen_twin_and_the_twin_with_random_reward():
    result = experiment(Args(code="rate", rule="rstdp-et", seeds="0-2", epochs=12, tests=4), quiet=True)
    margins = {name: margin(rates) for name, rates in result.after.items()}
    assert (result.after["frozen"] == result.untrained).all()
    assert (margins["frozen"] < 0).all()
    assert (margins["trained"] > 0).all()
    assert margins["trained"].mean() > margins["shuffled"].mean() + 30


@pytest.mark.parametrize("seeds", ["", "a-b", "5-2", "-3"])
def test_seeds_that_are_no_range_are_refused(seeds):
    with pytest.raises(ValueError, match="`seeds` must be first-last"):
        experiment(Args(seeds=seeds))


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["--seeds", "5-2"], "`seeds` must be first-last, for instance 1000-1019; received '5-2'"),
        (["--epochs", "0"], "`epochs` must be positive; received 0"),
        (["--lr", "-1"], "`lr` must not be negative (mV); received -1.0"),
        (["--code", "rat"], "invalid choice 'rat'"),
    ],
)
def test_a_command_that_cannot_be_done_says_why_without_a_traceback(arguments, answer, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["xor", *arguments])
    with pytest.raises(SystemExit) as stop:
        command(main, None)
    assert stop.value.code == 2
    printed = "".join(capsys.readouterr())
    assert answer in printed
    assert "Traceback" not in printed


def test_task_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="`code` must be one of 'rate', 'temporal'; received 'ratte'; did you mean"):
        Task("ratte", inputs=2)
    with pytest.raises(ValueError, match="`inputs` must be even"):
        Task("rate", inputs=3)
    with pytest.raises(ValueError, match="`window` must be positive"):
        NetworkParams(2, 3, 1.0, fixed_signs=False, timing="lagged", window=0)
    with pytest.raises(ValueError, match="`timing` must be one of 'instant', 'delayed', 'lagged'; received 'late'"):
        NetworkParams(2, 3, 1.0, fixed_signs=False, timing="late")
