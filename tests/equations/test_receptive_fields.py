import numpy as np
import pytest
import torch

from rstdp_agents.codecs.encoders import PlaceCells
from rstdp_agents.equations.receptive_fields import intensity, place_field, tile_place, tile_shift
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
