"""Many tilings over groups of numbers, hashed: the code of any observation of numbers."""

import math

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rstdp_agents.agent.fused.encoders import code_of, encode
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.composite import POWER
from rstdp_agents.codecs.encoders.hashed_tiles import MOST_RAMPS, RAMPS, HashedTiles, Number, members, plan
from rstdp_agents.codecs.encoders.options import EncoderConfig
from tests.helpers import compiled_rates, from_python

F64, CPU = torch.float64, torch.device("cpu")
MIXED = [Number(0, -1.0, 1.0, False), Number(1, 0.0, 6.0, True), Number(3, -5e-9, 5e-9, False)]


def numbers(n):
    return [Number(i, -1.0 - i, 2.0, False) for i in range(n)]


def coded(encoder, rows):
    """Places and rates of rows ``(n, columns)``, by torch."""
    place, rate = encoder.active(torch.as_tensor(np.asarray(rows))[None])
    return place[0].numpy(), rate[0].numpy()


EXTREME = [0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 1e30, -1e30, 3e38, -3e38, 1e308, -1e308, np.inf, -np.inf]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("encoder", [*map(numbers, (1, 2, 3, 5, 8, 17, 40)), MIXED], ids=len)
def test_compiled_tiles_are_those_of_torch(encoder, kind):
    encoder, random = HashedTiles(encoder), np.random.default_rng(0)
    columns = int(encoder.columns.max()) + 1
    with np.errstate(over="ignore"):
        rows = np.concatenate([
            random.normal(0, 2, (200, columns)),
            random.normal(size=(50, columns)) * 10.0 ** random.uniform(-30, 30, (50, 1)),
            random.choice(EXTREME, (50, columns)),
        ]).astype(kind)  # fmt: skip
    place, rate = coded(encoder, rows)
    index, value = np.empty(encoder.most, np.int32), np.empty(encoder.most, np.float32)
    for row, places, rates in zip(rows, place, rate.astype(np.float32), strict=True):
        assert from_python(encode)(row, code_of(encoder), 1, 1, index, value) == encoder.most
        assert np.array_equal(index, places)
        assert np.array_equal(value, rates)
    assert ((place >= 0) & (place < encoder.size)).all()


@pytest.mark.parametrize("n", [1, 2, 3, 6, 7, 20, 300])
def test_one_neuron_of_every_tiling_is_active_and_the_power_is_that_of_any_code(n):
    encoder, ramps = HashedTiles(numbers(n)), n if n <= MOST_RAMPS else 0
    place, rate = coded(encoder, np.random.default_rng(1).normal(size=(20, n)))
    first, groups = encoder.first.numpy(), sum(kind.groups for kind in plan(numbers(n)))
    assert ((place[:, :groups] >= first) & (place[:, :groups] < first + encoder.cells.numpy())).all()
    assert (encoder.size, encoder.most) == (encoder.cells.sum() + 2 * ramps, groups + ramps)
    kinds = len(plan(numbers(n)))
    share = kinds / (kinds + RAMPS) if ramps else 1.0
    np.testing.assert_allclose(np.square(rate[:, :groups]).sum(-1), share * POWER, rtol=1e-6)
    at_the_end = encoder.rates(torch.tensor([2.0] * n)[None, None])
    assert (at_the_end > 0).sum() == encoder.most
    assert at_the_end.square().sum().item() == pytest.approx(POWER, rel=1e-6)


def test_the_on_or_off_cell_of_a_number_grows_from_the_middle_of_its_range_to_the_ends():
    encoder = HashedTiles([Number(0, -2.0, 6.0, False), Number(1, 0.0, 3.0, True)])
    place, rate = coded(encoder, [[x, 1.0] for x in (-100.0, -2.0, 0.0, 2.0, 3.0, 6.0, 1e9)])
    off, on = encoder.size - 1, encoder.size - 2
    assert place[:, -1].tolist() == [off, off, off, on, on, on, on]
    assert encoder.ramps.tolist() == [0]  # whole numbers have a neuron for each value instead
    np.testing.assert_allclose(rate[:, -1] / encoder.steepest.item(), [1.0, 1.0, 0.5, 0.0, 0.25, 1.0, 1.0], rtol=1e-6)


def test_a_table_tells_all_states_apart():
    sizes = (3, 4, 5)
    encoder = HashedTiles([Number(i, -1.0, n - 2.0, True) for i, n in enumerate(sizes)])
    states = np.stack(np.meshgrid(*[np.arange(n) - 1 for n in sizes], indexing="ij"), -1).reshape(-1, 3)
    place, rate = coded(encoder, states)
    assert encoder.size == 60
    assert sorted(place[:, 0]) == list(range(60))
    assert (rate == 1.0).all()
    assert np.array_equal(compiled_rates(encoder, states).argmax(1), place[:, 0])


def test_nothing_moves_when_numbers_leave_the_range():
    """What is within the range has the same neurons whatever has been seen beyond; tiles go on there, ever wider."""
    encoder = HashedTiles([Number(0, 0.0, 1.0, False)])
    x = np.concatenate([np.linspace(0, 1, 101), [1.5, 1e3, 1e6, -1e6]])
    place, _ = coded(encoder, x[:, None])
    again, _ = coded(encoder, x[:101, None])
    assert np.array_equal(place[:101], again)

    def shared(a, b):
        (one, other), _ = coded(encoder, [[a], [b]])
        return (one == other).mean()

    assert shared(0.50, 0.51) > 0.8 > 0.4 > shared(0.4, 0.6)
    assert shared(1e6, 1e6 + 1) == 1.0
    assert shared(1e6, 2e6) < 0.3
    assert shared(10.0, 10.1) > shared(0.5, 0.6)  # a tile out there is wider


def test_scale_and_offset_of_numbers_are_nothing():
    x = np.random.default_rng(2).uniform(-2, 3, (100, 2))
    expected, _ = coded(HashedTiles([Number(0, -1.0, 2.0, False), Number(1, 0.0, 1.0, False)]), x)
    scaled = HashedTiles([Number(0, -1024.0, 2048.0, False), Number(1, 0.0, 2.0**-20, False)])
    assert np.array_equal(coded(scaled, x * [1024.0, 2.0**-20])[0], expected)


def test_whole_numbers_have_a_tile_for_each_value():
    encoder = HashedTiles(MIXED)
    rows = np.zeros((7, 4))
    rows[:, 1] = np.arange(7)
    place, _ = coded(encoder, rows)
    with_it = [g for g in range(len(encoder.count)) if 1 in encoder.held[g, : encoder.count[g]]]
    apart = [len(set(place[:, g])) for g in with_it]
    assert np.mean(apart) > 6.9
    assert max(apart) == 7
    near, _ = coded(encoder, rows + np.array([0, 0.3, 0, 0]))
    assert np.array_equal(near[:, with_it], place[:, with_it])


def test_all_numbers_take_part_and_groups_are_of_different_ones():
    random = np.random.default_rng(0)
    for n in (2, 5, 9, 30):
        kinds = plan(numbers(n))
        alone = [members(kinds[0], k, n, random)[0] for k in range(kinds[0].groups)]
        assert kinds[0].size > 1 or set(alone) == set(range(n))
        assert all(len(set(members(kind, 0, n, random))) == kind.size for kind in kinds)
    assert [kind.size for kind in plan(numbers(30))] == [1, 2, 4]
    assert math.prod(kind.groups for kind in plan(numbers(1))) == 16


def test_ten_thousand_numbers_are_coded():
    space = spaces.Box(-1.0, 1.0, (10_000,))
    encoder = build_encoder(space, EncoderConfig())
    assert (encoder.most, encoder.size) == (256 + 64 + 48, 256 * 64 + 64 * 256 + 48 * 512)
    assert (encoder.rates(torch.zeros(1, 1, 10_000)) > 0).sum() == encoder.most


def test_what_never_varies_has_no_code():
    with pytest.raises(ValueError, match="nothing in the observations varies"):
        HashedTiles([])


def test_the_type_of_rates_is_the_agent_s_and_places_do_not_depend_on_it():
    encoder, x = HashedTiles(numbers(4)), torch.linspace(-3, 3, 40).reshape(1, 10, 4)
    place, _ = encoder.active(x)
    double, rate = encoder.to(CPU, F64).active(x)
    assert torch.equal(place, double)
    assert rate.dtype == encoder.rates(x).dtype == F64
