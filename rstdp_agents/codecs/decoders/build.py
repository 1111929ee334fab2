"""Choice of a decoder for an action space: each component of an action gets its own neurons."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.base import validate
from rstdp_agents.codecs.action_layout import Actions
from rstdp_agents.codecs.bounds import own_bounds
from rstdp_agents.codecs.decoders import Decoder, PopulationDecoder
from rstdp_agents.codecs.decoders.factored import FactoredDecoder, MixedDecoder
from rstdp_agents.codecs.decoders.options import DecoderConfig
from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.codecs.observation_layout import MASK, Rows
from rstdp_agents.codecs.row_layout import Leaf

UNBOUNDED = 1e6
"""Bounds of an action this large count as none."""
MOST = 100_000
"""Most output neurons of a decoder."""


def build_decoder(space: gym.Space, p: DecoderConfig) -> Decoder:
    """The decoder for an action space. Raises ValueError naming a part that has none."""
    Actions(space)  # raises for parts that cannot be chosen
    leaves = Rows(space, "action").leaves
    boxes = [leaf for leaf in leaves if isinstance(leaf.space, spaces.Box)]
    values = [leaf for leaf in leaves if isinstance(leaf.space, spaces.Discrete)]
    sizes, starts = (tuple(int(getattr(leaf.space, name)) for leaf in values) for name in ("n", "start"))
    neurons = p.neurons_per_action * (sum(sizes) + sum(leaf.size for leaf in boxes))
    validate.require(
        0 < neurons <= MOST, f"action space {space} needs {neurons} output neurons; at most {MOST} are possible"
    )
    low, high = bounded(boxes, p.action_range)
    if not values:
        shape = space.shape if isinstance(space, spaces.Box) else low.shape
        return PopulationVector(low.reshape(shape), high.reshape(shape), p.neurons_per_action, p.exploration)
    one = PopulationDecoder(sizes[0], p.neurons_per_action, p.inverse_temperature, p.gate, starts[0])
    if len(leaves) == 1:
        return one
    factored = FactoredDecoder(sizes, starts, one)
    if not boxes:
        return factored
    columns = [leaf.first for leaf in values]
    columns += [column for leaf in boxes for column in range(leaf.first, leaf.first + leaf.size)]
    return MixedDecoder(factored, PopulationVector(low, high, p.neurons_per_action, p.exploration), tuple(columns))


def check_mask(rows: Rows, decoder: Decoder) -> None:
    """Raise ValueError unless a mask in the observations has an entry for every value that can be chosen."""
    if rows.mask is None:
        return
    entries = rows.mask.stop - rows.mask.start
    validate.require(
        entries == decoder.actions,
        f'observation["{MASK}"] must have an entry for each of {decoder.actions} values of the action; it has {entries}',
    )


def bounded(boxes: list[Leaf], half: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of continuous actions, one after the other: the spaces', or ``half`` on both sides of 0, or twice that from one."""
    low, high = own_bounds(boxes)
    below, above = np.abs(low) < UNBOUNDED, np.abs(high) < UNBOUNDED
    middle = np.where(below, low + half, np.where(above, high - half, 0.0))
    return np.where(below, low, middle - half), np.where(above, high, middle + half)
