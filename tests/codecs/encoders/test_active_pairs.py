"""Planes of symbols: cells for what is other than usual, alone, in pairs and all together."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rstdp_agents.agent.fused.active_pairs import CompiledPairs
from rstdp_agents.codecs.encoders.active_pairs import (
    ALONE,
    ALWAYS,
    FEW,
    MOST,
    NOWHERE,
    PAIRED,
    PAIRS,
    ROW,
    TOGETHER,
    ActivePairs,
    Symbol,
)
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.composite import POWER
from rstdp_agents.codecs.encoders.hashed import fields
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.observation_layout import Rows

USUAL = [float(i % 3) for i in range(60)]


def pairs():
    """Of numbers that are on no board."""
    return ActivePairs([Symbol(column, usual, 0.0, kind=column) for column, usual in enumerate(USUAL)])


def board():
    """Of a board of 4 times 5 fields in 3 planes."""
    known = fields(Rows(spaces.Box(0, 7, (4, 5, 3), np.uint8)).leaves)
    return ActivePairs(
        [Symbol(i, usual, 0.0, *field) for i, (usual, field) in enumerate(zip(USUAL, known, strict=True))]
    )


def rows(n, unusual, seed=0):
    """Rows ``(n, 60)`` with so many unusual numbers each."""
    random, out = np.random.default_rng(seed), np.tile(USUAL, (n, 1))
    for row in out:
        at = random.choice(60, unusual, replace=False)
        row[at] += random.integers(1, 5, unusual)
    return out


def listed(encoder, obs):
    """Places and rates of each row of ``obs (n, 60)``, compiled."""
    lists, most = CompiledPairs(encoder).listed(obs[None])[0], encoder.most
    many = lists[:, 0].astype(int)
    return [(row[1 : 1 + k].astype(int), row[1 + most : 1 + most + k]) for row, k in zip(lists, many, strict=True)]


@pytest.mark.parametrize("unusual", [0, 1, 2, 7, 30, 60])
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
@pytest.mark.parametrize("of", [pairs, board])
def test_compiled_lists_are_the_rates_of_torch(of, unusual, kind):
    encoder, obs = of(), rows(8, unusual).astype(kind)
    expected = encoder.rates(torch.from_numpy(obs)[None])[0].numpy()
    for (place, rate), dense in zip(listed(encoder, obs), expected, strict=True):
        assert len(set(place)) == len(place)  # no place twice
        assert np.array_equal(np.sort(place), np.flatnonzero(dense))
        np.testing.assert_allclose(rate, dense[place], rtol=1e-6)


def test_usual_values_are_silent():
    place, rate = listed(pairs(), rows(1, 0))[0]
    kinds = np.searchsorted([ALONE, ALONE + PAIRS, ALONE + PAIRS + TOGETHER], place, side="right")
    assert kinds.tolist() == [2, 3]  # all together, which says that nothing is unusual, and what is always active
    assert rate.tolist() == pytest.approx([(POWER / 3) ** 0.5 if POWER < 3 else 1.0, ALWAYS])
    changed, _ = listed(pairs(), rows(1, 1))[0]
    assert len(changed) == 3
    assert changed[1] != place[0]
    assert changed[2] == place[1]


@pytest.mark.parametrize("unusual", [2, 5, 12])
def test_kinds_share_the_power_and_every_pair_has_a_cell(unusual):
    for place, rate in listed(pairs(), rows(5, unusual)):
        kinds = np.searchsorted([ALONE, ALONE + PAIRS, ALONE + PAIRS + TOGETHER], place, side="right")
        power = [np.square(rate[kinds == kind]).sum() for kind in range(3)]
        assert max(power) < POWER / 3 + 1e-9
        counts = np.bincount(kinds, minlength=4).tolist()
        most = unusual, unusual * (unusual - 1) // 2
        assert counts[2:] == [1, 1]
        assert counts[0] in (most[0], most[0] - 1)  # few are hashed onto the same
        assert most[1] - 2 <= counts[1] <= most[1]


def test_a_pair_is_the_same_whatever_else_is_unusual():
    """The cells of two numbers alone and of their pair, in three observations that have them."""
    alone = rows(1, 0)
    alone[0, [7, 40]] += (1, 3)
    more = alone.copy()
    more[0, [3, 22, 59]] += 1
    cells = [set(place[place < ALONE + PAIRS]) for place, _ in listed(pairs(), np.concatenate([alone, more]))]
    assert len(cells[0]) == 3
    assert cells[0] < cells[1]
    other = alone.copy()
    other[0, 40] += 1
    (before, _), (after, _) = listed(pairs(), np.concatenate([alone, other]))
    assert len(set(before[:3]) & set(after[:3])) == 1  # the number that is as it was


ANYWHERE = ALONE + PAIRS + TOGETHER + 1
"""The first of the cells for pairs wherever they are."""


def seen(*things, shape=(10, 10, 4)):
    """Cells of each kind for a board on which there are ``things``, each of them (y, x, plane): alone, pairs, pairs anywhere."""
    encoder = build_encoder(spaces.Box(0, 1, shape, np.uint8), EncoderConfig())
    obs = np.zeros(shape, np.uint8)
    for thing in things:
        obs[thing] = 1
    place, rate = listed(encoder, obs[None].reshape(1, -1))[0]
    kinds = np.searchsorted([ALONE, ALONE + PAIRS, ANYWHERE - 1, ANYWHERE], place, side="right")
    for kind in (0, 1, 2, 4):
        assert np.square(rate[kinds == kind]).sum() < POWER / 4 + 1e-9
    return [set(place[kinds == kind]) for kind in (0, 1, 4)]


def test_a_pair_has_the_same_cell_wherever_it_is():
    here, there = seen((2, 3, 0), (4, 1, 1)), seen((5, 8, 0), (7, 6, 1))
    assert not here[0] & there[0]
    assert not here[1] & there[1]
    assert len(here[2]) == 1
    assert here[2] == there[2]
    for other in [((2, 3, 0), (4, 2, 1)), ((2, 3, 1), (4, 1, 0)), ((2, 3, 0), (4, 1, 2)), ((4, 1, 0), (2, 3, 1))]:
        assert not seen(*other)[2] & here[2]


def test_pairs_wherever_they_are_have_one_that_is_there_once():
    assert [len(cells) for cells in seen((5, 1, 0), (5, 3, 0))] == [2, 1, 0]
    assert [len(cells) for cells in seen((5, 1, 0), (5, 3, 0), (7, 2, 1))] == [3, 3, 2]
    below = [(7, 2, 1), (7, 4, 1)]
    assert [len(cells) for cells in seen((5, 1, 0), (5, 3, 0), *below)] == [4, 6, 0]


def test_pairs_that_are_there_twice_have_one_cell():
    space = spaces.Box(0, 1, (10, 10, 4), np.uint8)
    encoder, obs = build_encoder(space, EncoderConfig()), np.zeros((10, 10, 4), np.uint8)
    for thing in ((5, 1, 0), (5, 3, 1), (5, 3, 2), (5, 5, 2)):
        obs[thing] = 1
    place, rate = listed(encoder, obs.reshape(1, -1))[0]
    assert (place >= ANYWHERE).sum() == 5  # 0 and 1; each of both with the two of 2
    assert rate[place >= ANYWHERE].tolist() == pytest.approx([(POWER / 4 / 5) ** 0.5] * 5)
    dense = encoder.rates(torch.from_numpy(obs)[None, None])[0, 0]
    assert dense[place].tolist() == pytest.approx(rate.tolist())


def test_what_is_there_often_is_paired_with_what_is_rare_alone():
    many = [(0, x, 0) for x in range(FEW + 1)]
    assert [len(cells) for cells in seen(*many)] == [FEW + 1, 0, 0]
    assert [len(cells) for cells in seen(*many, (9, 4, 1), (9, 4, 2))] == [
        FEW + 3,
        2 * (FEW + 1) + 1,
        2 * (FEW + 1) + 1,
    ]


def test_what_is_rare_counts_first_and_no_more_than_so_many_count():
    crowd = [(y, x, plane) for y in range(10) for x in range(10) for plane in (0, 1)][: 2 * MOST]
    rare = (9, 9, 2)
    without, beside = seen(*crowd), seen(*crowd, rare)
    assert MOST - 3 < len(without[0]) <= MOST
    assert not without[1]
    assert len(beside[0] - without[0]) == 1
    assert MOST - 4 < len(beside[1]) < MOST  # the one with all others that count
    kinds = [(y, x, plane) for plane in range(40) for y, x in ((0, plane % 10), (plane % 9, 9))]
    assert PAIRED - 12 < len(seen(*kinds, shape=(10, 10, 40))[1]) <= PAIRED


def test_a_value_makes_another_thing_of_a_number():
    space = spaces.Box(0, 9, (6, 6), np.uint8)
    encoder, obs = build_encoder(space, EncoderConfig()), np.zeros((3, 6, 6), np.uint8)
    for board, (one, other) in zip(obs, ((1, 2), (1, 2), (1, 3)), strict=True):
        board[0, 0], board[1, 2] = one, other
    obs[1] = np.roll(obs[1], (2, 3), (0, 1))
    first, moved, changed = (place[place >= ANYWHERE].tolist() for place, _ in listed(encoder, obs.reshape(3, -1)))
    assert len(first) == 1
    assert first == moved
    assert first != changed


def test_fields_of_a_board_and_numbers_on_none():
    last = fields(Rows(spaces.Box(0, 1, (2, 3, 2), np.uint8)).leaves)
    assert last == [(c, 0, y * ROW + x) for y in range(2) for x in range(3) for c in range(2)]
    first = fields(Rows(spaces.Box(0, 1, (2, 3, 4), np.uint8)).leaves)
    assert first == [(c, 0, y * ROW + x) for c in range(2) for y in range(3) for x in range(4)]
    both = spaces.Dict(a=spaces.MultiBinary(3), b=spaces.Box(0, 1, (2, 2), np.uint8))
    assert fields(Rows(both).leaves)[:3] == [(i, NOWHERE, 0) for i in range(3)]
    beside = fields(Rows(both).leaves)[3:]
    assert len({board for _, board, _ in beside} - {NOWHERE}) == 1
    assert [(kind, place) for kind, _, place in beside] == [(3, y * ROW + x) for y in range(2) for x in range(2)]
    stacked = fields(Rows(spaces.Box(0, 1, (2, 5, 5, 3), np.uint8)).leaves)
    assert len({kind for kind, *_ in stacked}) == 6
    assert {place for *_, place in stacked} == {y * ROW + x for y in range(5) for x in range(5)}


def test_rows_know_nothing_of_each_other():
    obs = rows(6, 9)
    for (place, rate), (other, same) in zip(listed(pairs(), obs), listed(pairs(), obs[::-1])[::-1], strict=True):
        assert np.array_equal(place, other)
        assert np.array_equal(rate, same)


def test_usual_values_may_be_given_and_are_zeros_otherwise():
    space = spaces.Box(0, 1, (6, 6), np.uint8)
    given = tuple(float(i % 2) for i in range(36))
    encoder = build_encoder(space, EncoderConfig(low=(0.0,) * 36, high=(1.0,) * 36, usual=given))
    assert isinstance(encoder, ActivePairs)
    assert tuple(encoder.usual.tolist()) == given
    assert not build_encoder(space, EncoderConfig()).usual.any()
