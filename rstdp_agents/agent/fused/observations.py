"""How observations reach compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np

from rstdp_agents.agent.fused.active_pairs import CompiledPairs
from rstdp_agents.agent.fused.decoders import allow
from rstdp_agents.agent.fused.encoders import GIVEN
from rstdp_agents.agent.fused.hashed_tiles import CompiledTiles
from rstdp_agents.agent.fused.place_cell_grids import compiled
from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.codecs.encoders import Encoder
from rstdp_agents.codecs.encoders.active_pairs import ActivePairs
from rstdp_agents.codecs.encoders.base import computable
from rstdp_agents.codecs.encoders.counted import Counted
from rstdp_agents.codecs.encoders.hashed_tiles import HashedTiles


def compiled_lists(encoder: Encoder) -> CompiledTiles | CompiledPairs | None:
    """The compiled form of an encoder that lists what is active; None for any other."""
    if type(encoder) is HashedTiles:
        return CompiledTiles(encoder)
    return CompiledPairs(encoder) if type(encoder) is ActivePairs else None


class Observations:
    """Observations of an agent's spaces, for compiled code. kind: of its code, see `encoders.Code`."""

    def __init__(self, parts: AgentParts, kind: int) -> None:
        self._parts, counted = parts, parts.encoder if isinstance(parts.encoder, Counted) else None
        self._first = counted.first if counted else None
        encoder = counted.encoder if counted else parts.encoder
        self._grids, self._lists = compiled(encoder), compiled_lists(encoder)
        self._rates_are_given = kind == GIVEN
        self.are_masked = parts.rows.mask is not None
        """Whether they say which actions are allowed."""

    def coded(self, obs: np.ndarray) -> np.ndarray:
        """``(agents, envs, *obs)`` -> ``(agents, envs, dims)``: as they are if compiled code knows the encoder, else rates.

        Of an encoder that lists what is active (`encoders.LISTED`): the lists.
        """
        if self._rates_are_given and self._grids is None:
            return self._parts.coded(obs).numpy()
        obs = computable(obs)
        if self._first is not None:
            obs = obs - self._first.reshape(obs.shape[2:])
        if self._lists is not None:
            return self._lists.listed(obs)
        if self._grids is not None:
            return self._grids.rates(obs)
        return obs if obs.ndim == 3 else obs.reshape(*obs.shape[:2], -1)

    def mask(self, obs: np.ndarray, arrays: dict[str, Any]) -> None:
        """Note in the fields ``arrays`` of a state which actions ``obs`` allows, where observations are masked."""
        allow(self._parts.rows.allowed(obs), arrays)
