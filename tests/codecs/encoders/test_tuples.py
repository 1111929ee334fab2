from itertools import pairwise

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.fused.place_cell_grids import compiled
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.ntuples import Entry, TupleCoding, draw_groups
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.training.presets import preset
from rstdp_agents.training.ranged import with_range

F64, CPU = torch.float64, torch.device("cpu")
BYTES = [Entry(column, 0.0, 16.0, 16) for column in range(6)]


def active(coding, *rows):
    return coding.active(torch.tensor([rows], dtype=F64))[0].tolist()


def test_every_combination_of_values_has_a_cell_where_there_are_enough():
    coding = TupleCoding([Entry(0, 0.0, 1.0, 3), Entry(2, 5.0, 1.0, 2)], ((1, 2),), 100)
    places = [active(coding, (a, 9.0, b))[0][0] for a in range(3) for b in (5, 6)]
    assert coding.size == 6
    assert sorted(places) == [0, 1, 2, 3, 4, 5]
    assert active(coding, (-4, 0, 5), (7, 0, 5)) == active(coding, (0, 0, 5), (2, 0, 5))  # beyond its levels


def test_a_range_is_cut_into_levels_of_equal_width():
    coding = TupleCoding([Entry(0, -1.0, 0.5, 4)], ((1, 1),), 100)
    values = (-1.0, -0.51, -0.5, 0.49, 0.5, 1.0)
    assert [cell for (cell,) in active(coding, *((v,) for v in values))] == [0, 0, 1, 2, 3, 3]


def test_one_cell_of_every_group_fires_and_groups_share_none():
    coding = TupleCoding(BYTES, ((5, 1), (7, 2), (1, 0)), 64)
    rows = torch.from_numpy(np.random.default_rng(0).integers(256, size=(3, 4, 6))).double()
    rates, first = coding.rates(rows), [0, *np.cumsum([16] * 5 + [64] * 8).tolist()]
    assert rates.shape == (3, 4, coding.size)
    for begin, end in pairwise(first):
        assert (rates[..., begin:end].sum(-1) == 1).all()


def test_hashed_groups_use_their_cells_evenly_and_the_same_in_every_run():
    one, other = (TupleCoding(BYTES, ((1, 0),), 32) for _ in range(2))
    rows = torch.from_numpy(np.random.default_rng(1).integers(256, size=(1, 3200, 6))).double()
    counts = torch.bincount(one.active(rows).flatten(), minlength=32)
    assert counts.min() > 60
    assert counts.max() < 145
    assert torch.equal(one.active(rows), other.active(rows))


def test_what_changes_in_no_entry_of_a_group_changes_nothing_there():
    coding = TupleCoding(BYTES, ((15, 2),), 256)
    before, after = active(coding, (0,) * 6, (0, 0, 200, 0, 0, 0))
    assert sum(a != b for a, b in zip(before, after)) == 5  # all 15 pairs are there, and 5 of them hold the entry


def test_groups_hold_all_entries_about_equally_often_and_are_different():
    groups = draw_groups(40, 3, 10, np.random.default_rng(0))
    counts = np.bincount(np.concatenate(groups), minlength=10)
    assert len({tuple(group) for group in groups}) == len(groups) == 40
    assert all(len(set(group)) == 3 for group in groups)
    assert counts.min() >= 10
    assert counts.max() <= 14
    assert sorted(draw_groups(9, 1, 4, np.random.default_rng(0))) == [[0], [1], [2], [3]]  # there are no more
    assert draw_groups(2, 0, 3, np.random.default_rng(0)) == [[0, 1, 2]]


def test_encoder_of_any_space_takes_what_varies_and_shares_its_power():
    space = gym.spaces.Dict(a=gym.spaces.Discrete(5, start=2), b=gym.spaces.Box(0, 255, (4, 4), np.uint8))
    given = {"low": (2.0,) + (0.0,) * 16, "high": (4.0,) + (8.0,) * 3 + (0.0,) * 13}
    encoder = build_encoder(space, EncoderConfig(code="tuples", tuples=((4, 1), (1, 0)), levels=9, **given))
    assert encoder.size == 3 + 3 * 9 + 256
    rates = encoder.rates(torch.tensor([[[3.0, *range(16)]]], dtype=F64))
    assert rates.square().sum().item() == pytest.approx(4.0)
    assert (rates > 0).sum() == 5


def test_range_of_entries_is_what_chance_reaches():
    config = override(preset("rstdp/Catch-v0", "rstdp-et"), {"agent.encoder.code": "tuples"})
    space = gym.make("rstdp/Catch-v0").observation_space
    encoder = with_range(config, space, "rstdp/Catch-v0", {}).agent.encoder
    assert encoder.low == (0.0,) * 50
    assert encoder.high == (255.0,) * 50


def test_compiled_rates_are_the_same_to_the_bit():
    space = gym.spaces.Tuple((gym.spaces.Box(-1, 1, (3, 2)), gym.spaces.Discrete(4), gym.spaces.MultiBinary(3)))
    settings = {"code": "tuples", "tuples": ((10, 1), (9, 3), (1, 0)), "levels": 5, "tuple_cells": 50}
    encoder = build_encoder(space, EncoderConfig(**settings)).to(CPU, torch.float32)
    rows, fast = Rows(space), compiled(encoder)
    assert fast is not None
    obs = rows.array([space.sample() for _ in range(60)]).reshape(3, 20, -1)
    torch.testing.assert_close(fast.rates(obs), encoder.rates(torch.from_numpy(obs).float()).numpy(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"tuples": ((0, 2),)}, "`encoder.tuples` must be positive .groups.; received 0"),
        ({"tuples": ((3, -1),)}, "`encoder.tuples` must not be negative"),
        ({"low": (0.0, 0.0), "high": (0.0, 0.0)}, "nothing in the observations varies"),
        ({"low": (0.0,)}, "`encoder.low` must have 2 entries"),
    ],
)
def test_impossible_tuples_are_refused(settings, words):
    space = gym.spaces.Box(0, 1, (2,))
    with pytest.raises(ValueError, match=words):
        build_encoder(space, EncoderConfig(code="tuples", **settings))
