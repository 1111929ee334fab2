"""The code for an observation of which nothing is known but what was seen: tilings of numbers, or pairs of symbols."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.codecs.bounds import has_bounds, is_picture
from rstdp_agents.codecs.encoders.active_pairs import ActivePairs, Symbol
from rstdp_agents.codecs.encoders.dimensions import every_end
from rstdp_agents.codecs.encoders.hashed_tiles import HashedTiles, Number
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.encoders.plan import require_exact
from rstdp_agents.codecs.observation_layout import Rows

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
    whole = found.counted & (width <= COUNTABLE)
    symbols = found.counted & (width <= SYMBOLS)
    if any(is_picture(leaf.space) for leaf in rows.leaves) and not symbols.all():
        return None
    if symbols.all() and len(symbols) > MANY:
        usual = p.usual if len(p.usual) == len(low) else np.where((low <= 0) & (high >= 0), 0.0, low).tolist()
        return ActivePairs([Symbol(column, value) for column, value in zip(found.columns.tolist(), usual, strict=True)])
    each = zip(*(values[moves].tolist() for values in (found.columns, low, high, whole)), strict=True)
    numbers = [Number(*number) for number in each]
    return HashedTiles(numbers) if numbers else None


def may_be_hashed(space: gym.Space) -> bool:
    """Whether the code of a space depends on what is seen: it is more than one whole number, and no picture of many colours."""
    return not isinstance(space, spaces.Discrete) and not any(
        is_picture(leaf.space) and not _few(leaf.space) for leaf in Rows(space).leaves
    )


def _few(space: spaces.Box) -> bool:
    return bool(np.issubdtype(space.dtype, np.integer) or space.dtype == bool)
