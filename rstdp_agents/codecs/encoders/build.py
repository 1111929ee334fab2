"""Choice of a code for an observation space: a population for each part, and one for parts jointly if it is not too large."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.codecs.bounds import is_picture, numeric
from rstdp_agents.codecs.encoders import Encoder, Intensity, OneHot, PlaceCells
from rstdp_agents.codecs.encoders.composite import Composite, Part
from rstdp_agents.codecs.encoders.counted import Counted, counted_from, far_off
from rstdp_agents.codecs.encoders.dimensions import Dimension, dimensions, entries
from rstdp_agents.codecs.encoders.grids import Grid, Grids
from rstdp_agents.codecs.encoders.hashed import hashed_encoder
from rstdp_agents.codecs.encoders.images import ImageEncoder
from rstdp_agents.codecs.encoders.ntuples import TupleCoding
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.encoders.plan import JOINT, countable, default_cells, each_alone, plan
from rstdp_agents.codecs.encoders.tile_coding import TileCoding
from rstdp_agents.codecs.observation_layout import Rows


def build_encoder(space: gym.Space, p: EncoderConfig) -> Encoder:
    """The encoder for an observation space. Raises ValueError naming the part that cannot be encoded."""
    first = far_off(space, p)
    return encoder_of(space, p) if first is None else Counted(encoder_of(*counted_from(first, space, p)), first)


def encoder_of(space: gym.Space, p: EncoderConfig) -> Encoder:
    """As `build_encoder`, for numbers that double precision can tell apart."""
    if p.code == "tuples":
        rows = Rows(space)
        tuples = TupleCoding(entries(rows, p), p.tuples, p.tuple_cells)
        return Composite([Part(slice(None), (rows.size,), tuples)])
    if isinstance(space, spaces.Discrete):
        return OneHot(countable(space, "observation"), int(space.start))
    if p.code == "hashed":
        found = hashed_encoder(Rows(space), p)
        if found is not None:
            return found
        fits = len(p.low) == sum(leaf.size for leaf in numeric(Rows(space)))
        p = replace(p, code="place-cells") if fits else replace(p, code="place-cells", low=(), high=())
    if is_picture(space):
        return picture_encoder(space, p)
    rows = Rows(space)
    dims = dimensions(rows, p)
    if p.code == "separate":
        return Composite([Part(slice(None), (rows.size,), Grids(each_alone(dims, p), p.floor))])
    everything = 0 < len(dims) == rows.size and all(d.within is None for d in dims)
    vector = not rows.is_array or len(space.shape or ()) == 1
    if everything and (p.code == "tiles" or (vector and (p.cells or len(dims) <= JOINT))):
        low, high, cells = np.array([d.low for d in dims]), np.array([d.high for d in dims]), p.cells
        cells = cells or default_cells(len(dims))
        if p.code == "tiles":
            return TileCoding(low, high, cells, p.tilings)
        return PlaceCells(low, high, cells, np.array([d.width for d in dims]), p.floor)
    if p.code != "place-cells":
        raise ValueError(f"tiles only cover observations of Boxes whose numbers all vary; received {space}")
    return Composite(_parts(rows, dims, p))


def _parts(rows: Rows, dims: list[Dimension], p: EncoderConfig) -> list[Part]:
    """Grids over everything except pictures and texts, which have their own encoders."""
    grids = plan(rows, dims, p)
    parts = []
    for leaf in rows.leaves:
        if is_picture(leaf.space):
            parts.append(Part(leaf.columns, leaf.space.shape, picture_encoder(leaf.space, p)))
        elif isinstance(leaf.space, spaces.MultiBinary):
            parts.append(Part(leaf.columns, (leaf.size,), Intensity(np.zeros(leaf.size), np.ones(leaf.size))))
    if grids or not parts:
        parts.insert(0, Part(slice(None), (rows.size,), Grids(grids or [Grid(())], p.floor)))
    return parts


def picture_encoder(space: spaces.Box, p: EncoderConfig) -> Encoder:
    """The encoder of a picture, alone or in a composite."""
    return ImageEncoder(space, p.image, p.levels)
