import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.codecs.encoders import Intensity, OneHot, PlaceCells, bernoulli
from rstdp_agents.codecs.encoders.active_pairs import ActivePairs
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.hashed_tiles import HashedTiles
from rstdp_agents.codecs.encoders.images import ImageEncoder
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.encoders.plan import default_cells

F64, CPU = torch.float64, torch.device("cpu")
LOW, HIGH = np.array([-1.0, 0.0]), np.array([1.0, 3.0])


def cells():
    return PlaceCells(LOW, HIGH, (3, 4), 0.7).to(CPU, F64)


def test_place_cells_are_joint_gaussians_on_the_grid():
    obs = torch.tensor([[[0.3, 1.2]]], dtype=F64)
    x, y = np.meshgrid(np.linspace(-1, 1, 3), np.linspace(0, 3, 4), indexing="ij")
    expected = np.exp(-0.5 * (((0.3 - x) / 0.7) ** 2 + ((1.2 - y) / 0.7) ** 2)).reshape(-1)
    rates = cells().rates(obs)[0, 0].numpy()
    np.testing.assert_allclose(rates, expected / expected.max(), atol=1e-12)


def test_cell_at_the_observation_is_the_most_active_one():
    rates = cells().rates(torch.tensor([[[1.0, 3.0]]], dtype=F64))[0, 0]
    assert rates.argmax() == 11
    assert rates.max() == 1


def test_observations_beyond_the_grid_are_moved_onto_it():
    far, edge = (cells().rates(torch.tensor([[[v, v]]], dtype=F64)) for v in (100.0, 3.0))
    assert torch.equal(far, edge)


def test_cells_below_the_floor_are_silent():
    obs = torch.tensor([[[0.3, 1.2]]], dtype=F64)
    every, some = cells().rates(obs), PlaceCells(LOW, HIGH, (3, 4), 0.7, 0.1).to(CPU, F64).rates(obs)
    assert torch.equal(some, torch.where(every < 0.1, 0.0, every))
    assert 0 < (some > 0).sum() < (every > 0).sum()


def test_one_hot_counts_from_its_start():
    rates = OneHot(3, start=5).to(CPU, F64).rates(torch.tensor([[5.0, 7.0]], dtype=F64))
    assert rates.tolist() == [[[1, 0, 0], [0, 0, 1]]]


def test_spike_frequency_is_the_probability():
    rates = torch.tensor([[[0.0, 0.5, 1.0]]])
    uniform = torch.rand(20_000, 1, 1, 3, generator=torch.Generator().manual_seed(0))
    frequency = bernoulli(rates, uniform, 0.4).mean((0, 1, 2))
    assert frequency.tolist() == pytest.approx([0.0, 0.2, 0.4], abs=0.01)
    assert set(bernoulli(rates, uniform, 1.0)[..., 2].unique().tolist()) == {1.0}


def test_spaces_choose_their_encoder():
    assert build_encoder(gym.spaces.Discrete(6, start=2), EncoderConfig()).size == 6
    box = gym.spaces.Box(-1, 1, (3,))
    assert isinstance(build_encoder(box, EncoderConfig()), HashedTiles)
    assert build_encoder(box, EncoderConfig(code="place-cells")).size == default_cells(3)[0] ** 3
    assert build_encoder(box, EncoderConfig(code="place-cells", cells=(2, 3, 4))).size == 24
    few, many = gym.spaces.MultiBinary(12), gym.spaces.MultiBinary(25)
    assert build_encoder(few, EncoderConfig()).size == 2**12
    assert isinstance(build_encoder(many, EncoderConfig()), ActivePairs)
    assert isinstance(build_encoder(gym.spaces.Box(0, 255, (8, 8, 3), np.uint8), EncoderConfig()), ImageEncoder)


@pytest.mark.parametrize("code", ["place-cells", "separate"])
def test_each_dimension_may_have_fields_of_its_own_width(code):
    """0 and 1 of a narrow dimension share no cell, those of a wide one do."""
    box = gym.spaces.Box(0, 1, (2,))
    p = EncoderConfig(code=code, cells=(2, 2), width=(0.7, 0.2), floor=0.01)
    encoder = build_encoder(box, p).to(CPU, torch.float64)
    corners = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
    start, along_wide, along_narrow = encoder.rates(corners)[0]
    assert (start * along_wide).sum() > 0.3
    shared = (start * along_narrow).sum() - (1 + np.exp(-1 / 0.49) if code == "separate" else 0.0)
    assert shared.item() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("space", "config", "words"),
    [
        (
            gym.spaces.Dict(a=gym.spaces.Discrete(2)),
            {"code": "tiles"},
            "tiles only cover observations of Boxes whose numbers all vary; received Dict('a': Discrete(2))",
        ),
        (gym.spaces.Discrete(10**6), {}, "observation has 1000000 values, each of which needs a neuron"),
        (
            gym.spaces.Dict(a=gym.spaces.Tuple([gym.spaces.Box(-np.inf, 1, (2,))])),
            {},
            'observation["a"][0] has no bounds in dimensions [0, 1]: give `encoder.low`',
        ),
        (gym.spaces.Box(-np.inf, np.inf, (2,)), {}, "has no bounds in dimensions [0, 1]: give `encoder.low`"),
        (gym.spaces.Box(-np.inf, np.inf, (2,), np.int64), {}, "has no bounds in dimensions [0, 1]: give `encoder.low`"),
        (gym.spaces.Box(-1, 1, (2,)), {"low": (-1.0,)}, "`encoder.low` must have 2 entries"),
        (gym.spaces.Box(-1, 1, (2,)), {"low": (2.0, 2.0)}, "`low[0]` must be below `high[0]`; received 2.0 and 1.0"),
        (gym.spaces.Box(-1, 1, (2,)), {"cells": (3,)}, "`cells` must have one entry per observation dimension (2)"),
        (gym.spaces.Box(-1, 1, (2,)), {"cells": (3, 1)}, "`cells` must be 2 or more in each dimension; received 1"),
        (gym.spaces.Box(-1, 1, (40,)), {"code": "tiles"}, "give `encoder.cells`"),
        (
            gym.spaces.Box(-1, 1, (3,)),
            {"width": (0.5, 0.6)},
            "`encoder.width` must be one number or 3, one for each number of the Boxes; received (0.5, 0.6)",
        ),
    ],
)
def test_what_cannot_be_encoded_is_said_in_words(space, config, words):
    with pytest.raises(ValueError, match=r".") as error:
        build_encoder(space, EncoderConfig(**{"code": "place-cells"} | config))
    assert words in str(error.value)


def test_observation_that_is_a_single_number_is_coded_as_one_of_one_dimension():
    numbers = torch.linspace(-1.2, 1.2, 7, dtype=F64).reshape(1, 7)
    for code in ("hashed", "place-cells"):
        boxes = (gym.spaces.Box(-1, 1, shape) for shape in ((), (1,)))
        scalar, vector = (build_encoder(box, EncoderConfig(code=code)).to(CPU, F64) for box in boxes)
        torch.testing.assert_close(scalar.rates(numbers), vector.rates(numbers[..., None]))
    tiles = EncoderConfig(code="tiles", cells=(3,))
    scalar, vector = (build_encoder(gym.spaces.Box(-1, 1, shape), tiles) for shape in ((), (1,)))
    assert torch.equal(scalar.rates(numbers), vector.rates(numbers[..., None]))
    assert scalar.rates(numbers).sum(-1).tolist() == [[8.0] * 7]


def test_tiles_cover_boxes_of_any_shape_and_several_of_them():
    tiles, box = EncoderConfig(code="tiles", cells=(3, 2)), gym.spaces.Box(-1, 1, (2,))
    both = gym.spaces.Dict(a=gym.spaces.Box(-1, 1, ()), b=gym.spaces.Box(-1, 1, (1,)))
    numbers = torch.linspace(-1, 1, 10).reshape(1, 5, 2)
    expected = build_encoder(box, tiles).rates(numbers)
    assert torch.equal(build_encoder(both, tiles).rates(numbers), expected)
    assert torch.equal(build_encoder(gym.spaces.Box(-1, 1, (1, 2)), tiles).rates(numbers.reshape(1, 5, 1, 2)), expected)


def test_intensity_grows_from_low_to_high_and_stops_there():
    encoder = Intensity(np.array([[0.0, -1.0]]), np.array([[2.0, 1.0]])).to(torch.device("cpu"), torch.float32)
    obs = torch.tensor([[[[0.5, 0.0]], [[9.0, -9.0]]]])
    assert encoder.size == 2
    assert encoder.rates(obs).tolist() == [[[0.25, 0.5], [1.0, 0.0]]]
    with pytest.raises(ValueError, match=r"`low` must lie below `high` in every entry; received \[0\.\] and \[0\.\]"):
        Intensity(np.zeros(1), np.zeros(1))


def test_a_separate_code_says_nothing_of_how_dimensions_go_together():
    box = gym.spaces.Box(np.array([0.0, -1.0]), np.array([1.0, 1.0]), dtype=np.float64)
    encoder = build_encoder(box, EncoderConfig(code="separate", cells=(2, 3), floor=0.5))
    rates = encoder.rates(torch.tensor([[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]], dtype=torch.float64))[0]
    assert rates.tolist() == [[1, 0, 0, 1, 0], [0, 1, 0, 1, 0], [0, 1, 0, 0, 1]]
    with pytest.raises(ValueError, match="one entry, 2 or more, for each of 2 dimensions of Boxes; received"):
        build_encoder(box, EncoderConfig(code="separate", cells=(4,)))
