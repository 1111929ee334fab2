import numpy as np
import pytest
import torch

from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.encoders.tile_coding import TileCoding
from tests.helpers import CARTPOLE

F64, CPU = torch.float64, torch.device("cpu")
LOW, HIGH = np.array([-1.0, 0.0]), np.array([1.0, 3.0])


def coding(tiles=(4, 3), tilings=2):
    return TileCoding(LOW, HIGH, tiles, tilings).to(CPU, F64)


def rates(obs, **settings):
    return coding(**settings).rates(torch.tensor([[obs]], dtype=F64))[0, 0]


def test_tiles_that_hold_the_observation_fire_and_no_other():
    # in tiles: (2.4, 1.2); the second tiling is shifted by (1/2, 3/2 mod 1) of a tile
    assert coding().size == 2 * 5 * 4
    assert rates((0.2, 1.2)).nonzero().flatten().tolist() == [2 * 4 + 1, 20 + 2 * 4 + 1]
    assert rates((0.2, 1.8)).nonzero().flatten().tolist() == [2 * 4 + 1, 20 + 2 * 4 + 2]


@pytest.mark.parametrize("obs", [(-1.0, 0.0), (1.0, 3.0), (0.31, 2.9), (-0.999, 1.5)])
def test_one_tile_of_every_tiling_fires(obs):
    for tilings in (1, 3, 8):
        active = rates(obs, tilings=tilings).reshape(tilings, -1)
        assert active.sum(1).tolist() == [1.0] * tilings


def test_two_places_share_tiles_in_proportion_to_their_nearness():
    codes = [rates((x, 1.0), tilings=8) for x in (0.0, 0.125, 0.25, 0.5)]  # a tile is 0.5 wide
    assert [int(code @ codes[0]) for code in codes] == [8, 6, 4, 0]


def test_observations_beyond_the_bounds_are_moved_onto_them():
    assert torch.equal(rates((50.0, -9.0)), rates((1.0, 0.0)))


def test_encoder_of_a_box_is_tile_coding_where_asked_for():
    p = EncoderConfig(code="tiles", low=(-1.0,) * 4, high=(1.0,) * 4, cells=(2, 2, 2, 3), tilings=3)
    assert build_encoder(CARTPOLE.observation_space, p).size == 3 * 27 * 4


@pytest.mark.parametrize(
    ("tiles", "tilings", "words"),
    [((4,), 2, "one entry per observation dimension"), ((4, 0), 2, "must be 1 or more"), ((4, 3), 0, "`tilings`")],
)
def test_impossible_tiles_are_refused(tiles, tilings, words):
    with pytest.raises(ValueError, match=words):
        coding(tiles, tilings)
