"""Numbers of the synapses that need no geometry."""

import pytest
import torch

from rstdp_agents.spiking.synapses import Lateral, Linear, OneToOne


def test_one_to_one_scales_every_neuron():
    pre = torch.tensor([1.0, 0.0, 1.0]).reshape(1, 1, 1, 3)
    weight = torch.tensor([[0.5, 0.6, 0.7]])
    assert OneToOne(3).current(pre, weight).flatten().tolist() == pytest.approx([0.5, 0.0, 0.7])


def test_lateral_never_reaches_its_own_neuron_and_leaves_the_weight_as_it_is():
    weight = torch.ones(1, 3, 3)
    pre = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 1, 1, 3)
    assert Lateral(3).current(pre, weight).flatten().tolist() == [0.0, 1.0, 1.0]
    assert Lateral(3).hebb(torch.ones(1, 1, 1, 3), pre)[0, 0].tolist() == [[0, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert weight.eq(1).all()


@pytest.mark.parametrize("make", [lambda: Linear(0, 3), lambda: OneToOne(0), lambda: Lateral(-1)])
def test_an_empty_layer_is_refused(make):
    with pytest.raises(ValueError, match=r"must be positive \(neurons\)"):
        make()
