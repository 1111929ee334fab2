import math

import numpy as np
import pytest
import torch
from numba import njit

from rstdp_agents.codecs.encoders import PlaceCells
from rstdp_agents.equations.receptive_fields import (
    PRIME,
    compressed,
    even_rate,
    hash_step,
    intensity,
    opponent,
    place_field,
    tile_place,
    tile_shift,
)
from tests.equations.forms import values

X = np.linspace(-3.0, 3.0, 16)


def test_a_place_field_is_a_gaussian_bump():
    rate = values(place_field, (X,), 0.6, 0.5, lanes=False)
    assert rate == pytest.approx(np.exp(-((X - 0.6) ** 2) / 0.5))
    assert (place_field(0.6, 0.6, 0.5), place_field(1.1, 0.6, 0.5)) == (1.0, pytest.approx(0.60653066))


def test_place_cells_of_torch_are_products_of_fields_relative_to_the_most_active():
    encoder = PlaceCells(np.array([-1.0, 0.0]), np.array([1.0, 3.0]), (3, 4), 0.7).to(
        torch.device("cpu"), torch.float64
    )
    axes = [np.linspace(-1, 1, 3), np.linspace(0, 3, 4)]
    for x in ((0.2, 1.4), (-0.9, 2.9)):
        fields = [place_field(torch.tensor(x[d]), torch.from_numpy(axes[d]), 0.7) for d in (0, 1)]
        cells = fields[0][:, None] * fields[1]
        rates = encoder.rates(torch.tensor(x, dtype=torch.float64)[None, None])
        torch.testing.assert_close(rates[0, 0], (cells / cells.max()).flatten(), rtol=1e-6, atol=1e-9)


def test_intensity_grows_within_its_range():
    assert values(intensity, (X,), -1.0, 0.5) == pytest.approx(np.clip((X + 1) / 2, 0, 1))


def test_tilings_are_shifted_by_odd_multiples():
    shifts = values(tile_shift, (np.arange(16), np.arange(16) % 3), 8, lanes=False)
    assert shifts[:4].tolist() == [0.0, 3 / 8, (2 * 5 / 8) % 1, 3 / 8]


def test_places_beyond_the_bounds_are_moved_onto_them():
    place = values(tile_place, (X, np.full(16, -2.0), np.full(16, 1.5), np.full(16, 6.0)), 0.25)
    assert place == pytest.approx(np.clip((X + 2) * 1.5, 0, 6) + 0.25)


def test_numbers_beyond_the_range_count_by_their_logarithm():
    expected = np.where(X < 0, -np.log1p(np.clip(-X, 0, None)), np.where(X > 1, 1 + np.log(np.clip(X, 1, None)), X))
    assert values(compressed, (X,), lanes=False) == pytest.approx(expected)
    assert [compressed(x) for x in (0.0, 0.3, 1.0, math.e, 1.0 - math.e)] == pytest.approx([0.0, 0.3, 1.0, 2.0, -1.0])
    far = np.array([-1e30, -1e3, -1e-9, 0.5, 1 + 1e-9, 1e3, 1e30])
    assert np.all(np.diff([compressed(x) for x in far]) > 0)
    assert compressed(1e30) == pytest.approx(1 + 30 * math.log(10))
    assert compressed(1.0 - 0.4) == pytest.approx(1.0 - compressed(0.4))
    assert compressed(1.0 + 5.0) == pytest.approx(1.0 - compressed(-5.0))  # the two ends are alike


def test_keys_of_groups_are_hashed_by_their_prime():
    """Whole numbers of Python, which are exact; compiled code, and tensors."""
    random = np.random.default_rng(0)
    key, place, factor = (random.integers(PRIME, size=16) for _ in range(3))
    expected = [(int(k) + int(p)) * int(f) % PRIME for k, p, f in zip(key, place, factor, strict=True)]
    assert hash_step(*map(torch.from_numpy, (key, place, factor))).tolist() == expected
    assert [compiled_hash(*each) for each in zip(key, place, factor, strict=True)] == expected


@njit
def compiled_hash(key, place, factor):
    return hash_step(key, place, factor)


def test_a_hash_with_the_numbers_of_values_left_is_their_joint_index():
    keys = [hash_step(hash_step(0, a, 4), b, 1) for a in range(3) for b in range(4)]
    assert keys == list(range(12))


def test_cells_that_share_a_power_have_it_as_the_sum_of_their_squares():
    rate = values(even_rate, (2.0, np.arange(16.0)), lanes=False)
    np.testing.assert_allclose(rate, [1.0, 1.0, *np.sqrt(2.0 / np.arange(2.0, 16.0))], rtol=1e-12)


def test_an_opponent_pair_grows_from_the_middle_of_the_range_to_its_ends():
    assert values(opponent, (X,)) == pytest.approx(np.clip(2.0 * X - 1.0, -1.0, 1.0))
    assert [opponent(x) for x in (-5.0, 0.0, 0.5, 0.75, 1.0, 9.0)] == [-1.0, -1.0, 0.0, 0.5, 1.0, 1.0]
