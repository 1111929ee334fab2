import numpy as np
import pytest
import torch
from scipy.stats import kstest

from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.equations.policy import standard_normal

LOW, HIGH = np.array([-2.0, 0.0]), np.array([2.0, 1.0])


def decoder(exploration=0.5):
    return PopulationVector(LOW, HIGH, 3, exploration)


def test_the_action_is_the_mean_of_what_the_neurons_prefer():
    rates = torch.tensor([[[0.0, 0.1, 0.3, 0.2, 0.0, 0.0]]], dtype=torch.float64)
    expected = [2 * 0.75, 0.5 - 0.5]  # 0.3 / 0.4 of the upper half; all at the lower end
    assert decoder().greedy(rates, rates).reshape(-1).tolist() == pytest.approx(expected)


def test_silent_neurons_leave_the_action_in_the_middle():
    assert decoder().greedy(torch.zeros(1, 1, 6), torch.zeros(1, 1, 4)).tolist() == [[[0.0, 0.5]]]


def test_action_that_is_a_single_number_is_that_of_one_dimension():
    rates, uniform = torch.rand(2, 3, 5, dtype=torch.float64), torch.rand(2, 3, 2, dtype=torch.float64)
    scalar, vector = (PopulationVector(np.full(s, -2.0), np.full(s, 1.0), 5, 0.5) for s in ((), (1,)))
    assert torch.equal(scalar.greedy(rates, uniform)[..., None], vector.greedy(rates, uniform))
    (action, gate), (expected, same) = scalar.choose(rates, uniform), vector.choose(rates, uniform)
    assert torch.equal(action[..., None], expected)
    assert torch.equal(gate, same)


def test_exploration_is_credited_to_the_neurons_that_pull_there():
    rates = torch.full((1, 1, 6), 0.2, dtype=torch.float64)
    uniform = torch.tensor([[[0.5, 0.0, 0.5, 0.5]]], dtype=torch.float64)  # epsilon: +, -
    epsilon = (2 * np.log(2)) ** 0.5
    action, gate = decoder(0.1).choose(rates, uniform)
    assert action.reshape(-1).tolist() == pytest.approx([0.2 * epsilon, 0.5 - 0.05 * epsilon])
    assert gate.reshape(-1).tolist() == pytest.approx([-epsilon, 0, epsilon, epsilon, 0, -epsilon])


def test_gate_is_the_gradient_of_the_log_policy_up_to_a_factor():
    rates = torch.tensor([[[0.1, 0.4, 0.2, 0.3, 0.3, 0.1]]], dtype=torch.float64, requires_grad=True)
    d, uniform = decoder(0.3), torch.rand(1, 1, 4, dtype=torch.float64)
    grouped = rates.reshape(2, 3)
    mu = (grouped * d.preferred).sum(1) / grouped.sum(1)
    tried = mu.detach() + 0.3 * standard_normal(*uniform.reshape(2, 2).T)
    (-((tried - mu) ** 2) / (2 * 0.3**2)).sum().backward()
    _, gate = d.choose(rates.detach(), uniform)
    expected = gate.reshape(2, 3) / (0.3 * grouped.detach().sum(1, keepdim=True))
    torch.testing.assert_close(rates.grad.reshape(2, 3), expected)


def test_actions_stay_within_their_bounds():
    action, _ = decoder(5.0).choose(torch.rand(1, 1000, 6), torch.rand(1, 1000, 4))
    assert action.amin((0, 1)).tolist() == LOW.tolist()
    assert action.amax((0, 1)).tolist() == HIGH.tolist()


def test_numbers_of_box_and_muller_are_normal():
    numbers = standard_normal(*torch.rand(2, 20_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    assert kstest(numbers.numpy(), "norm").pvalue > 1e-3
