import numpy as np
import pytest
import torch
from gymnasium import spaces

from rstdp_agents.codecs.bounds import numeric
from rstdp_agents.codecs.encoders import PlaceCells
from rstdp_agents.codecs.encoders.active_pairs import ActivePairs
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.composite import POWER, Composite
from rstdp_agents.codecs.encoders.dimensions import Dimension, dimensions
from rstdp_agents.codecs.encoders.grids import Axis, Grid, Grids
from rstdp_agents.codecs.encoders.hashed_tiles import HashedTiles
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.encoders.plan import BUDGET, axes_of, combine, neighbours
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.row_layout import Within
from tests.environments.zoo import OBSERVATIONS

F64, CPU = torch.float64, torch.device("cpu")
GRIDS = EncoderConfig(code="place-cells")


def axis(column, n, low=-1.0, high=1.0, width=0.7):
    points = np.linspace(low, high, n)
    return Axis(column, points, width * (points[1] - points[0]))


def test_one_grid_over_all_columns_is_that_of_place_cells():
    low, high, cells = np.array([-1.0, -1.0, -1.0]), np.ones(3), (3, 4, 5)
    grids = Grids([Grid(tuple(axis(d, n) for d, n in enumerate(cells)))], 0.05).to(CPU, F64)
    obs = torch.rand(2, 5, 3, dtype=F64) * 3 - 1.5
    torch.testing.assert_close(grids.rates(obs), PlaceCells(low, high, cells, 0.7, 0.05).to(CPU, F64).rates(obs))


def test_grids_stand_side_by_side_and_are_silent_where_their_part_is_absent():
    both = [Grid((axis(0, 3),)), Grid((axis(1, 4), axis(0, 2)), Within(2, 1, 3))]
    grids, alone = Grids(both).to(CPU, F64), [Grids([grid._replace(within=None)]).to(CPU, F64) for grid in both]
    obs = torch.tensor([[[0.2, -0.4, 2.0], [0.2, -0.4, 0.0]]], dtype=F64)
    first, second = (one.rates(obs) for one in alone)
    present = torch.tensor([1.0, 0.0], dtype=F64)[:, None]
    torch.testing.assert_close(grids.rates(obs), torch.cat([first, second * present], -1))


def test_a_value_of_a_discrete_has_a_neuron_of_its_own():
    encoder = build_encoder(spaces.Tuple((spaces.Discrete(3, start=2), spaces.Discrete(300))), GRIDS)
    rates = encoder.to(CPU, torch.float32).rates(torch.tensor([[[4.0, 299.0]]]))[0, 0]
    assert torch.nonzero(rates).flatten().tolist() == [2 * 300 + 299]


@pytest.mark.parametrize("code", ["hashed", "place-cells"])
@pytest.mark.parametrize("space", OBSERVATIONS.values(), ids=OBSERVATIONS.keys())
def test_every_observation_makes_neurons_fire_and_none_too_much(space, code):
    rows, encoder = Rows(space), build_encoder(space, EncoderConfig(code=code)).to(CPU, F64)
    space.seed(0)
    samples = [space.sample() for _ in range(12)]
    obs = torch.as_tensor(rows.array(samples), dtype=F64)
    rates = encoder.rates(obs.reshape(3, 4, *obs.shape[1:]))
    assert rates.shape == (3, 4, encoder.size)
    assert ((rates >= 0) & (rates <= 1)).all()
    assert (rates.sum(-1) > 0.9).all()
    if isinstance(encoder, HashedTiles | ActivePairs):
        assert rates.square().sum(-1).max() <= POWER + 0.1
    if isinstance(encoder, Composite):
        assert rates.square().sum(-1).max() <= POWER + 1e-9
        assert encoder.size < 3 * BUDGET


@pytest.mark.parametrize("code", ["hashed", "place-cells"])
@pytest.mark.parametrize("name", [name for name in OBSERVATIONS if name not in ("picture", "nothing")])
def test_different_observations_have_different_rates(name, code):
    space = OBSERVATIONS[name]
    rows, encoder = Rows(space), build_encoder(space, EncoderConfig(code=code)).to(CPU, F64)
    space.seed(1)
    obs = np.unique(rows.array([space.sample() for _ in range(40)]), axis=0)
    rates = encoder.rates(torch.as_tensor(obs, dtype=F64)[None])[0]
    distance = torch.cdist(rates, rates) + 10 * torch.eye(len(obs), dtype=F64)
    apart = (distance > 1e-3).double().mean()
    assert apart > 0.95 if code == "hashed" else apart == 1.0  # tiles do not tell numbers apart that are very close


def plan_of(space, **settings):
    p, rows = EncoderConfig(**settings), Rows(space)
    values = [leaf for leaf in rows.leaves if isinstance(leaf.space, spaces.Discrete)]
    return [tuple(len(axis.points) for axis in grid.axes) for grid in combine(dimensions(rows, p), values, p, BUDGET)]


def test_few_parts_share_one_grid():
    assert plan_of(spaces.MultiDiscrete([3, 4])) == [(3, 4)]
    assert plan_of(spaces.Tuple((spaces.Box(-1, 1, (2,)), spaces.Discrete(3)))) == [(17, 17, 3)]
    assert plan_of(spaces.Tuple((spaces.Box(-1, 1, (2,)), spaces.Discrete(3))), cells=(2, 5)) == [(2, 5, 3)]
    assert plan_of(spaces.Tuple((spaces.Box(-1, 1, (2,)), spaces.Discrete(9)))) == [(17, 17), (9,), (17, 17, 9)]


def test_parts_that_are_too_many_meet_in_pairs():
    twenty = plan_of(spaces.MultiBinary(20))
    assert twenty == [(2,)] * 20 + [(2, 2)] * 190
    eleven = plan_of(spaces.Box(-1, 1, (11,)))
    assert eleven == [(9,)] * 11 + [(8, 8)] * 55
    hundred = plan_of(spaces.Box(-1, 1, (100,)))
    assert hundred == [(9,)] * 100 + [(3, 3)] * (BUDGET // 9)


def test_pairs_are_all_different_and_cover_every_part():
    grids = combine([Dimension(i, -1.0, 1.0, 0.7, None) for i in range(9)], [], EncoderConfig(), BUDGET)
    pairs = {frozenset(axis.column for axis in grid.axes) for grid in grids if len(grid.axes) == 2}
    assert len(pairs) == 36
    even = combine([Dimension(i, -1.0, 1.0, 0.7, None) for i in range(10)], [], EncoderConfig(), BUDGET)
    assert len({frozenset(axis.column for axis in grid.axes) for grid in even if len(grid.axes) == 2}) == 45


def test_a_dimension_that_never_varies_is_not_coded():
    box = spaces.Box(np.array([0.0, 1.0], np.float32), np.array([1.0, 1.0], np.float32))
    assert [d.column for d in dimensions(Rows(box), EncoderConfig())] == [0]
    assert len(numeric(Rows(box))) == 1


MANY = 30_000


def test_tens_of_thousands_of_numbers_have_cells_and_a_few_pairs():
    """As few numbers have them, and built about as fast for each: nothing looks at all pairs."""
    encoder = build_encoder(spaces.Box(0.0, 1.0, (MANY,), np.float32), GRIDS).to(CPU, torch.float32)
    assert encoder.size == 3 * MANY + 9 * (BUDGET // 9)
    obs = np.zeros((1, 1, MANY), np.float32)
    obs[0, 0, [7, MANY - 1]] = 0.5, 1.0
    single = encoder.rates(torch.from_numpy(obs))[0, 0, : 3 * MANY].reshape(MANY, 3)
    assert single.argmax(1).nonzero()[:, 0].tolist() == [7, MANY - 1]
    assert single.argmax(1)[[7, MANY - 1]].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("space", "size"),
    [
        (spaces.MultiDiscrete(np.full(MANY, 3), start=np.full(MANY, -7)), 3 * MANY + 9 * (BUDGET // 9)),
        (spaces.MultiBinary(MANY), 2 * MANY + 4 * (BUDGET // 4)),
        (spaces.Dict({str(i): spaces.Box(-1.0, 1.0, (1,)) for i in range(10_000)}), 30_000 + 9 * (BUDGET // 9)),
        (spaces.OneOf([spaces.Discrete(2)] * 10_000), 30_000),
        (spaces.Dict(x=spaces.Box(0.0, 1.0, (2,)), action_mask=spaces.MultiBinary(MANY)), 17 * 17),
    ],
    ids=["multi-discrete", "multi-binary", "dict", "one of", "mask"],
)
def test_so_have_as_many_parts_of_other_kinds(space, size):
    assert build_encoder(space, GRIDS).size == size


def test_pairs_are_chosen_one_distance_after_the_other_as_long_as_they_fit():
    sizes = np.random.default_rng(0).integers(1, 12, 40).tolist()
    parts = [(Axis(i, np.arange(float(n)), 1.0),) for i, n in enumerate(sizes)]
    budget, expected = 900, []
    for distance in range(1, 21):
        for i in range(40 if distance < 20 else 20):
            if sizes[i] * sizes[(i + distance) % 40] <= budget:
                expected.append((i, (i + distance) % 40))
                budget -= sizes[i] * sizes[(i + distance) % 40]
    assert [tuple(axis.column for axis in grid.axes) for grid in neighbours(parts, 900, None)] == expected


def test_axes_of_many_dimensions_are_those_of_each():
    random = np.random.default_rng(0)
    dims = [Dimension(i, -low, high, 0.7, None) for i, (low, high) in enumerate(random.random((30, 2)).tolist())]
    for dim, axis in zip(dims, axes_of(dims, (7,) * 30), strict=True):
        assert axis.points.tolist() == np.linspace(dim.low, dim.high, 7).tolist()
        assert axis.sigma == 0.7 * (axis.points[1] - axis.points[0])
