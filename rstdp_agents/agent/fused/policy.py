"""A policy of compiled code: windows without learning, on the very weights of a fused backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import Tensor

from rstdp_agents.agent.fused.decoders import decoder_arrays, reader
from rstdp_agents.agent.fused.kernel import ACT, kernel, nothing
from rstdp_agents.agent.fused.observations import Observations
from rstdp_agents.agent.fused.spikes import layer_spikes
from rstdp_agents.agent.fused.state import State
from rstdp_agents.agent.fused.threads import Threads
from rstdp_agents.codecs.decoders import Decoder

CERTAIN = 1e30
"""Inverse temperature at which a softmax takes the best, and draws between equals."""


class FusedPolicy:
    """See `backend.Policy`. Has the weights of ``shared`` (`arrays.arrays_of`), and spikes and random numbers of its own.

    sync: brings the weights up to date.
    """

    def __init__(
        self, shared: dict[str, Any], decoder: Decoder, observations: Observations, threads: Threads, envs: int,
        seeds: tuple[int, ...], sync: Callable[[], None],
    ) -> None:  # fmt: skip
        self._decoder, self._observations, self._sync = decoder, observations, sync
        (agents, inputs), shape = shared["critic"].shape, (shared["critic"].shape[0], envs)
        most = shared["index"].shape[3]
        self._rest = dict(zip(("v", "recovery"), shared["rest"][0].tolist(), strict=True))
        self._arrays = (
            shared
            | decoder_arrays(self._decoder, shape)
            | {
                "layers": tuple(self._own(layer, envs) for layer in shared["layers"]),
                "counters": np.array([(seed, 0, 0, 0) for seed in seeds]),
                **{name: np.zeros_like(shared[name], shape=(agents, 2, envs, most)) for name in ("index", "value")},
                "many": np.zeros((agents, 2, envs), dtype=np.int64),
                "m": np.zeros(shape, dtype=np.float32),
                "pushes": np.zeros_like(shared["pushes"], shape=(*shape, shared["pushes"].shape[2])),
                "under_way": np.zeros_like(shared["under_way"], shape=(*shape, shared["under_way"].shape[2])),
                "pre_count": np.zeros((agents, inputs), dtype=np.float32),
            }
        )
        self._chosen, self._nothing = reader(self._decoder, self._arrays), nothing(*shape)
        certain = shared["constants"].copy()
        certain["decoder"]["inverse_temperature"], certain["decoder"]["exploration"] = CERTAIN, 0.0
        states = State(**self._arrays), State(**self._arrays | {"constants": certain})
        self._stochastic, self._greedy = (threads.all_agents(kernel, state) for state in states)

    def act(self, obs: np.ndarray, greedy: bool) -> np.ndarray:
        self._sync()
        if self._observations.are_masked:
            self._observations.mask(obs, self._arrays)
        came = self._nothing._replace(obs=self._observations.coded(obs))
        (self._greedy if greedy else self._stochastic)(ACT, *came)
        return self._chosen()

    def rates(self, obs: np.ndarray) -> Tensor:
        self.act(obs, greedy=True)
        return self._decoder.rates(layer_spikes(self._arrays["layers"][-1]))

    def reset(self, done: np.ndarray) -> None:
        """Bring neurons to rest in the envs where ``done (agents, envs)``; where every window starts so, nothing reads them."""
        for layer in self._arrays["layers"]:
            for name, at in self._rest.items():
                layer[name][done] = at
        self._arrays["under_way"][done] = 0

    def _own(self, layer: dict[str, Any], envs: int) -> dict[str, Any]:
        """A layer with spikes and membranes of its own."""
        agents, _, sites, _, padded = layer["post"].shape
        shape = agents, envs, sites, padded
        return layer | {
            **{name: np.full(shape, at, np.float32) for name, at in self._rest.items()},
            "bits": np.zeros((agents, 1, envs, *layer["bits"].shape[3:]), np.uint64),
            "power": np.zeros((agents, envs), np.float32), "counts": np.zeros(shape, np.float32),
            "post": np.zeros_like(layer["post"], shape=(agents, envs, *layer["post"].shape[2:])),
            "post_count": np.zeros_like(layer["post_count"]),
        }  # fmt: skip
