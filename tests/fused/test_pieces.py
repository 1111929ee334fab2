import numpy as np
import pytest
import torch
from scipy.stats import kstest

from rstdp_agents.encoders import PlaceCells
from rstdp_agents.fused.encode import encode_grid
from rstdp_agents.fused.random import fill_uniform, window_keys


def drawn(seed, window, n=20_000):
    out = np.empty(n, dtype=np.float32)
    fill_uniform(out, window_keys(seed, window))
    return out


def test_numbers_are_uniform_and_repeat():
    numbers = drawn(3, 5, 1_000_000)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    assert kstest(numbers[:100_000], "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 5e-3
    assert np.array_equal(numbers[:100], drawn(3, 5, 100))


def test_windows_and_seeds_are_apart():
    place = np.array([drawn(seed, window, 8) for seed in range(40) for window in range(100)])
    assert kstest(place[:, 0], "uniform").pvalue > 1e-3
    correlation = np.corrcoef(place.T) - np.eye(8)
    assert np.abs(correlation).max() < 0.06  # 4000 samples: standard error 0.016
    grid = place[:, 3].reshape(40, 100)
    assert abs(np.corrcoef(grid[:, 1:].ravel(), grid[:, :-1].ravel())[0, 1]) < 0.06
    assert abs(np.corrcoef(grid[1:].ravel(), grid[:-1].ravel())[0, 1]) < 0.06


@pytest.mark.parametrize("floor", [0.0, 0.1])
@pytest.mark.parametrize("cells", [(3, 4), (2, 3, 4), (5, 2, 2, 3, 2)])
def test_grid_code_is_that_of_torch(cells, floor):
    low, high = -np.arange(1.0, len(cells) + 1), np.arange(2.0, len(cells) + 2)
    encoder = PlaceCells(low, high, cells, 0.7, floor).to(torch.device("cpu"), torch.float64)
    obs = np.random.default_rng(0).uniform(-9, 9, (2, 3, len(cells)))
    out = np.empty((2, 3, encoder.size), dtype=np.float32)
    encode_grid(obs, *encoder.grid, floor, out)
    np.testing.assert_allclose(out, encoder.rates(torch.from_numpy(obs)).numpy(), rtol=1e-5, atol=1e-7)
