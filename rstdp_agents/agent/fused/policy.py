"""The fused CPU path of a frozen policy: windows without learning, on the very weights of an agent's engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from rstdp_agents.agent.fused.decoders import decoder_arrays, reader
from rstdp_agents.agent.fused.spikes import output_spikes
from rstdp_agents.agent.fused.state import State
from rstdp_agents.agent.fused.step import act

if TYPE_CHECKING:
    from rstdp_agents.agent.fused.backend import FusedEngine

CERTAIN = 1e30
"""Inverse temperature at which a softmax takes the best, and draws between equals."""


class FusedPolicy:
    """Acts as `policy.FrozenPolicy` does: shares what ``engine`` has learnt, with spikes and random numbers of its own."""

    def __init__(self, engine: FusedEngine, envs: int, seeds: tuple[int, ...]) -> None:
        shared, self._decoder = engine.arrays, engine.agent.decoder
        (agents, inputs, padded), outputs = shared["weight"].shape, shared["post_count"].shape[1]
        shape, self._engine = (agents, envs), engine
        self._arrays = (
            shared
            | decoder_arrays(self._decoder, shape)
            | {
                "counters": np.array([(seed, 0, 0) for seed in seeds]),
                "rates": np.zeros((*shape, inputs), dtype=np.float32),
                "bits": np.zeros((agents, 1, envs, inputs), dtype=np.uint64),
                "post": np.zeros((*shape, shared["late"].shape[1], padded), dtype=np.float32),
                "pre_count": np.zeros((agents, inputs), dtype=np.float32),
                "post_count": np.zeros((agents, outputs), dtype=np.float32),
            }
        )
        self._chosen = reader(self._decoder, self._arrays)
        certain = shared["constants"].copy()
        certain["decoder"]["inverse_temperature"], certain["decoder"]["exploration"] = CERTAIN, 0.0
        self._stochastic, self._greedy = State(**self._arrays), State(**self._arrays | {"constants": certain})

    def act(self, obs: np.ndarray, greedy: bool) -> np.ndarray:
        """As `policy.FrozenPolicy.act`."""
        state = self._greedy if greedy else self._stochastic
        self._engine.mask(obs, self._arrays)
        self._engine.over_agents(act, state, self._engine.coded(obs))
        return self._chosen()

    def rates(self, obs: np.ndarray) -> Tensor:
        """As `policy.FrozenPolicy.rates`."""
        self.act(obs, greedy=True)
        return self._decoder.rates(output_spikes(self._arrays))
