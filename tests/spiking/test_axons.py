"""Spikes that arrive late: when, in which window, and what becomes of those that are under way."""

import numpy as np
import pytest
import torch

from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.fused import words
from rstdp_agents.agent.fused.words import pack_spikes, unpack_spikes
from rstdp_agents.base.settings import override
from rstdp_agents.spiking.axons import Axons
from tests.helpers import cartpole_agent, from_python, observations

delay_spikes = from_python(words.delay_spikes)
DELAY = torch.tensor([[0, 1, 4, 9], [2, 2, 2, 2]])


def train(ticks, seed=0):
    spikes = torch.rand(ticks, 2, 3, 4, generator=torch.Generator().manual_seed(seed))
    return spikes.lt(0.4).float()


def later(spikes):
    """Every spike, as late as its neuron's delay, of an endless window."""
    out = torch.zeros(len(spikes) + 9, *spikes.shape[1:])
    for a in range(2):
        for i in range(4):
            late = int(DELAY[a, i])
            out[late : late + len(spikes), a, :, i] = spikes[:, a, :, i]
    return out


@pytest.mark.parametrize("windows", [(24,), (10, 14), (3, 1, 20), (1,) * 24])
def test_spikes_arrive_when_their_delay_is_over_however_time_is_cut_into_windows(windows):
    spikes, axons = train(24), Axons(DELAY, 9, 3, fresh_each_window=False)
    under_way, arrived = axons.start(3), []
    for window in spikes.split(windows):
        came, under_way = axons.arrive(window, under_way)
        arrived.append(came)
    assert torch.equal(torch.cat(arrived), later(spikes)[:24])
    rest, _ = axons.arrive(torch.zeros(9, 2, 3, 4), under_way)
    assert torch.equal(rest, later(spikes)[24:])


def test_what_is_under_way_when_a_window_begins_anew_does_not_arrive():
    spikes, axons = train(10), Axons(DELAY, 9, 3, fresh_each_window=True)
    arrived, under_way = axons.arrive(spikes, axons.start(3))
    assert torch.equal(arrived, later(spikes)[:10])
    assert not under_way.any()


def test_delays_are_of_each_neuron_and_every_tick_is_as_likely():
    agent = cartpole_agent((3, 4), **{"network.max_delay": 4.0, "simulation.dt": 0.5})
    delay = agent.tensors()["input.delay"]
    assert delay.shape == (2, agent.parts.inputs)
    counts = torch.stack([row.bincount(minlength=9) for row in delay])
    expected = agent.parts.inputs / 9
    assert counts.shape == (2, 9)
    assert ((counts - expected).square() / expected).sum(1).max() < 26.0  # chi squared of 8 degrees, p = 0.001
    assert not torch.equal(delay[0], delay[1])
    twin = cartpole_agent((4,), **{"network.max_delay": 4.0, "simulation.dt": 0.5})
    assert torch.equal(twin.tensors()["input.delay"][0], delay[1])


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_what_is_under_way_is_in_checkpoints_and_ends_with_the_episode(backend, tmp_path):
    changes = {"network.max_delay": 20.0, "simulation.fresh_each_window": False}
    agent, other = (cartpole_agent(envs=2, backend=backend, **changes) for _ in range(2))
    agent.begin(observations(1, 2))
    under_way = agent.tensors()["input.under_way"]
    assert (under_way != 0).any(2).all()
    other.load(agent.tensors(), tmp_path / "x")
    assert torch.equal(other.tensors()["input.under_way"], under_way)
    agent.reset(torch.tensor([[True, False]]).numpy())
    assert not agent.tensors()["input.under_way"][:, 0].any()
    assert torch.equal(agent.tensors()["input.under_way"][:, 1], other.tensors()["input.under_way"][:, 1])


@pytest.mark.parametrize("ticks", [1, 10, 63, 64, 65, 100, 128, 150])
@pytest.mark.parametrize("delay", [0, 1, 9, 62, 63])
def test_words_of_bits_are_delayed_as_spikes_are(ticks, delay):
    axons = Axons(torch.full((1, 5), delay), 63, 2, fresh_each_window=False)
    under_way = axons.start(2)
    words = under_way.numpy().view(np.uint64).copy()
    for window in range(3):
        spikes = torch.rand(ticks, 1, 2, 5, generator=torch.Generator().manual_seed(window)).lt(0.4).float()
        bits = pack_spikes(spikes.movedim(0, 2).numpy())
        came, under_way = axons.arrive(spikes, under_way)
        for e in range(2):
            for i in range(5):
                words[0, e, i] = delay_spikes(bits[0, e, i], np.uint64(delay), words[0, e, i], ticks)
        assert np.array_equal(unpack_spikes(bits, ticks), came.numpy())
        assert np.array_equal(words.view(np.int64), under_way.numpy())
    assert under_way.any() or not delay


def test_a_delay_that_does_not_fit_in_a_word_is_refused():
    with pytest.raises(ValueError, match=r"`network.max_delay` may take 63 ticks; received 64"):
        override(AgentConfig(), {"network.max_delay": 64.0})
    with pytest.raises(ValueError, match=r"`max_delay` must not be negative \(ms\)"):
        override(AgentConfig(), {"network.max_delay": -1.0})
