"""Planes of symbols: cells for what is other than usual, alone, in pairs and all together."""

import numpy as np
import pytest
import torch
from gymnasium import spaces

from rstdp_agents.agent.fused.active_pairs import CompiledPairs
from rstdp_agents.codecs.encoders.active_pairs import ALONE, ALWAYS, MOST, PAIRS, TOGETHER, ActivePairs, Symbol
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.composite import POWER
from rstdp_agents.codecs.encoders.options import EncoderConfig

USUAL = [float(i % 3) for i in range(60)]


def pairs():
    return ActivePairs([Symbol(column, usual) for column, usual in enumerate(USUAL)])


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


@pytest.mark.parametrize("unusual", [0, 1, 2, 7, MOST, 55])
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
def test_compiled_lists_are_the_rates_of_torch(unusual, kind):
    encoder, obs = pairs(), rows(8, unusual).astype(kind)
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
