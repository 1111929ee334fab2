"""How observations reach compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np

from rstdp_agents.agent.fused.active_pairs import CompiledPairs
from rstdp_agents.agent.fused.decoders import allow
from rstdp_agents.agent.fused.encoders import GIVEN
from rstdp_agents.agent.fused.place_cell_grids import compiled
from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.codecs.encoders.active_pairs import ActivePairs
from rstdp_agents.codecs.encoders.base import computable
from rstdp_agents.codecs.encoders.counted import Counted


class Observations:
    """Observations of an agent's spaces, for compiled code. kind: of its code, see `encoders.Code`."""

    def __init__(self, parts: AgentParts, kind: int) -> None:
        self._parts, counted = parts, parts.encoder if isinstance(parts.encoder, Counted) else None
        self._first = counted.first if counted else None
        encoder = counted.encoder if counted else parts.encoder
        self._grids = compiled(encoder)
        self._lists = CompiledPairs(encoder) if type(encoder) is ActivePairs else None
        self._rates_are_given = kind == GIVEN
        self.are_masked = parts.rows.mask is not None
        """Whether they say which actions are allowed."""

    def coded(self, obs: np.ndarray) -> np.ndarray:
        """``(agents, envs, *obs)`` -> ``(agents, envs, dims)``: as they are if compiled code knows the encoder, else rates.

        Of an encoder that lists what is active: the lists. All in float64, so that code is compiled for one type.
        """
        coded = self._coded(obs)
        if coded.ndim != 3:
            coded = coded.reshape(*coded.shape[:2], -1)
        return coded.astype(np.float64, copy=False)

    def _coded(self, obs: np.ndarray) -> np.ndarray:
        if self._rates_are_given and self._grids is None:
            return self._parts.encoded(obs).numpy()
        obs = computable(obs)
        if self._first is not None:
            obs = obs - self._first.reshape(obs.shape[2:])
        if self._lists is not None:
            return self._lists.listed(obs)
        return obs if self._grids is None else self._grids.rates(obs)

    def mask(self, obs: np.ndarray, arrays: dict[str, Any]) -> None:
        """Note in the fields ``arrays`` of a state which actions ``obs`` allows, where observations are masked."""
        allow(self._parts.rows.allowed(obs), arrays)
