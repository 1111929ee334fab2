import pytest
import torch

from rstdp_agents.codecs.decoders import PopulationDecoder, sample
from rstdp_agents.codecs.decoders.softmax import as_started


def test_rates_are_means_over_ticks_and_the_neurons_of_an_action():
    decoder = PopulationDecoder(actions=2, neurons_per_action=2)
    spikes = torch.tensor([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]], dtype=torch.float32)
    assert decoder.rates(spikes.reshape(4, 1, 1, 4)).tolist() == [[[3 / 8, 1 / 8]]]


def test_softmax_and_its_limits():
    rates = torch.tensor([[[0.2, 0.1]]], dtype=torch.float64)
    p = PopulationDecoder(2, inverse_temperature=10.0).policy(rates, None, as_started(rates))[0, 0]
    assert p[0].item() == pytest.approx(1 / (1 + torch.exp(torch.tensor(-1.0)).item()))
    assert PopulationDecoder(2, inverse_temperature=1e6).policy(rates, None, as_started(rates)).tolist() == [[[1, 0]]]


def test_greedy_shares_evenly_between_equals():
    rates = torch.tensor([[[0.3, 0.1, 0.3]]])
    assert PopulationDecoder(3).greedy(rates, torch.tensor([[[0.4], [0.6]]])[:, :1]).tolist() == [[0]]


def test_sampling_inverts_the_cumulative_policy():
    p = torch.tensor([[[0.25, 0.75]]]).expand(1, 4, 2)
    assert sample(p, torch.tensor([[0.0, 0.24, 0.25, 0.999]])).tolist() == [[0, 0, 1, 1]]
    assert sample(torch.tensor([[[0.5, 0.4999999]]]), torch.tensor([[0.99999999]])).tolist() == [[1]]


def test_credit_of_each_gate():
    p = torch.tensor([[[0.25, 0.75]]])
    action = torch.tensor([[1]])
    assert PopulationDecoder(2, 2, gate="centred").gate_of(action, p).tolist() == [[[-0.25, 0.25]]]
    assert PopulationDecoder(2, 2, gate="chosen").gate_of(action, p).tolist() == [[[0, 1]]]
    assert PopulationDecoder(2, 2, gate="none").gate_of(action, p) is None


def test_centred_credit_vanishes_on_average_under_the_policy():
    decoder = PopulationDecoder(3, 1)
    p = torch.tensor([[[0.2, 0.3, 0.5]]], dtype=torch.float64)
    mean = sum(p[0, 0, a] * decoder.gate_of(torch.tensor([[a]]), p) for a in range(3))
    torch.testing.assert_close(mean, torch.zeros_like(p), rtol=0, atol=1e-15)
