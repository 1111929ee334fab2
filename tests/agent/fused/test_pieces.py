import numpy as np
import pytest
import torch
from scipy.stats import kstest

from rstdp_agents.agent.fused import spikes
from rstdp_agents.agent.fused.words import pack_spikes, unpack_spikes, words_of
from rstdp_agents.codecs.encoders import PlaceCells, bernoulli
from rstdp_agents.codecs.encoders.tile_coding import TileCoding
from rstdp_agents.equations import random_numbers
from rstdp_agents.equations.random_numbers import draw_rows
from tests.helpers import compiled_rates, from_python

draw_spikes = from_python(spikes.draw_spikes)
fill_uniform, fill_uniform_at = from_python(random_numbers.fill_uniform), from_python(random_numbers.fill_uniform_at)
window_keys = from_python(random_numbers.window_keys)


def drawn(seed, window, n=20_000):
    out = np.empty(n, dtype=np.float32)
    fill_uniform(out, 0, n, 0, window_keys(seed, window))
    return out


def test_a_number_depends_on_its_place_alone():
    keys, all_numbers = window_keys(3, 5), drawn(3, 5, 100)
    part, places = np.zeros(3, dtype=np.float32), np.array([0, 7, 40], dtype=np.int32)
    fill_uniform(part, 1, 3, 20, keys)
    assert np.array_equal(part, [0.0, *all_numbers[20:22]])
    fill_uniform_at(part, places, 9, keys)
    assert np.array_equal(part, all_numbers[[9, 16, 49]])


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
    obs = np.random.default_rng(0).uniform(-9, 9, (5, 1, len(cells)))
    expected = encoder.rates(torch.from_numpy(obs))[:, 0].numpy()
    np.testing.assert_allclose(compiled_rates(encoder, obs[:, 0]), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("ticks", [10, 64, 65, 200])
def test_spikes_are_those_of_torch(ticks):
    random = np.random.default_rng(0)
    rates, envs = random.random(37, dtype=np.float32), 2
    rates[[3, 36]] = 0.0, 1.0
    numbers = draw_rows(np.array([4]), 7, 0, envs * 37, ticks, envs * 37)
    second = torch.from_numpy(numbers.reshape(ticks, envs, 37)[:, 1])
    bits, count = np.zeros((37, words_of(ticks)), dtype=np.uint64), np.ones(37, dtype=np.float32)
    active = np.flatnonzero(rates).astype(np.int32)[::-1].copy()  # in any order
    power = draw_spikes(active, rates[active], 0.4, ticks, envs, 1, 37, window_keys(4, 7), bits, count)
    expected = bernoulli(torch.from_numpy(rates), second, 0.4).numpy()
    assert np.array_equal(unpack_spikes(bits, ticks), expected)
    assert np.array_equal(count, 1 + expected.sum(0))
    assert power == pytest.approx(np.square(0.4 * ticks * rates).sum(), rel=1e-5)
    assert expected[:, 3].sum() == 0
    assert 0.2 * ticks <= expected[:, 36].sum() < 0.7 * ticks
    assert np.array_equal(pack_spikes(expected[None, None]), bits[None, None])


def test_tiles_are_those_of_torch():
    encoder = TileCoding(np.array([-1.0, 0.0, 2.0]), np.array([1.0, 3.0, 7.0]), (3, 5, 2), 4).to(
        torch.device("cpu"), torch.float64
    )
    obs = np.random.default_rng(0).uniform((-1.5, -1, 1), (1.5, 4, 8), (50, 3))
    out = compiled_rates(encoder, obs)
    assert np.array_equal(out, encoder.rates(torch.from_numpy(obs)[None])[0].numpy())
    assert (out.sum(1) == 4).all()
