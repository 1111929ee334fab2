"""The code for an observation of which nothing is known but what was seen: tilings of numbers, or pairs of symbols."""

from __future__ import annotations

import math
from collections.abc import Sequence

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.base import validate
from rstdp_agents.codecs.bounds import has_bounds, is_picture
from rstdp_agents.codecs.encoders.active_pairs import NOWHERE, ROW, ActivePairs, Symbol
from rstdp_agents.codecs.encoders.dimensions import every_end
from rstdp_agents.codecs.encoders.hashed_tiles import HashedTiles, Number
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.encoders.plan import require_exact
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.row_layout import Leaf

COUNTABLE = 64
"""Widest range of whole numbers whose values are told apart as such."""
SYMBOLS = 16
"""Widest range of the whole numbers that a picture made of symbols has."""
MANY = 24
"""Whole numbers beyond which they are taken for planes of symbols."""
UNKNOWN = 1.0
"""How far on either side of zero a number is thought to go of which nothing is known."""


def hashed_encoder(rows: Rows, p: EncoderConfig) -> HashedTiles | ActivePairs | None:
    """The code of the rows; None if they have a picture of other than symbols, or nothing that varies."""
    for leaf in rows.leaves:
        require_exact(leaf)
    found, low, high = every_end(rows), np.array(p.low), np.array(p.high)
    known = low.shape == found.low.shape == high.shape
    if not known:
        low = np.where(has_bounds(found.low, rows.leaves), found.low, -UNKNOWN)
        high = np.where(has_bounds(found.high, rows.leaves), found.high, low + 2 * UNKNOWN)
    width, moves = high - low, high > low
    whole = found.named | found.counted & (width <= COUNTABLE)
    symbols = found.counted & (width <= SYMBOLS)
    if any(is_picture(leaf.space) for leaf in rows.leaves) and not symbols.all():
        return None
    for name, given in (("low", p.low), ("high", p.high)):
        validate.require(
            known or not given,
            f"`encoder.{name}` must have {len(found.low)} entries, one for each number of an observation; received {len(given)}",
        )
    if symbols.all() and len(symbols) > MANY:
        usual = p.usual if len(p.usual) == len(low) else np.where((low <= 0) & (high >= 0), 0.0, low).tolist()
        known = zip(found.columns.tolist(), usual, low.tolist(), fields(rows.leaves), strict=True)
        return ActivePairs([Symbol(column, value, least, *field) for column, value, least, field in known])
    each = zip(*(values[moves].tolist() for values in (found.columns, low, high, whole)), strict=True)
    numbers = [Number(*number) for number in each]
    return HashedTiles(numbers) if numbers else None


def fields(leaves: Sequence[Leaf]) -> list[tuple[int, int, int]]:
    """Kind, board and place of every number, as `Symbol` has them.

    An array of two axes is a board. One of more is a board of several planes, each of a kind of its own: axes are rows, columns
    and planes, or planes, rows and columns where the third last is shorter than the last, as pictures have them. A number that
    is on no board is of a kind of its own.
    """
    out: list[tuple[int, int, int]] = []
    kinds = 0
    for number, leaf in enumerate(leaves):
        shape = leaf.space.shape or ()
        if len(shape) < 2:
            out += [(kinds + i, NOWHERE, 0) for i in range(leaf.size)]
            kinds += leaf.size
            continue
        y = len(shape) - (2 if len(shape) == 2 or shape[-3] < shape[-1] else 3)
        planes = [1 if axis in (y, y + 1) else length for axis, length in enumerate(shape)]
        kind = np.broadcast_to(kinds + np.arange(math.prod(planes)).reshape(planes), shape)
        at = np.indices(shape)
        places = at[y] * ROW + at[y + 1]
        out += [(k, number, place) for k, place in zip(kind.ravel().tolist(), places.ravel().tolist(), strict=True)]
        kinds += math.prod(planes)
    return out


def may_be_hashed(space: gym.Space) -> bool:
    """Whether the code of a space depends on what is seen of it: not that of a Discrete, nor of a picture of many colours."""
    return not isinstance(space, spaces.Discrete) and not any(
        is_picture(leaf.space) and not _few(leaf.space) for leaf in Rows(space).leaves
    )


def _few(space: spaces.Box) -> bool:
    return bool(np.issubdtype(space.dtype, np.integer) or np.issubdtype(space.dtype, np.bool_))
