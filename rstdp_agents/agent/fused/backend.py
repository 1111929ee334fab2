"""The fused backend: a whole env step of a population in one compiled call."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.fused.arrays import arrays_of
from rstdp_agents.agent.fused.decoders import reader
from rstdp_agents.agent.fused.looks import go_on, kept_arrays, show
from rstdp_agents.agent.fused.observations import Observations
from rstdp_agents.agent.fused.policy import FusedPolicy
from rstdp_agents.agent.fused.spikes import output_spikes, pack_spikes, unpack_spikes
from rstdp_agents.agent.fused.state import State
from rstdp_agents.agent.fused.step import step
from rstdp_agents.agent.fused.threads import Threads
from rstdp_agents.agent.parts import AgentParts, ended
from rstdp_agents.agent.window import normalised
from rstdp_agents.codecs.transition import Transition


class FusedBackend:
    """See `backend.Backend`. Works on the very memory of the parts' tensors (`arrays.arrays_of`).

    threads: the agents are split over so many where that pays.
    """

    name = "fused"

    def __init__(self, parts: AgentParts, threads: int) -> None:
        self.parts, self.arrays = parts, arrays_of(parts)
        self._pre: Tensor | None = None  # spikes that the layer shows now, as `sync` made them
        self._shown = False  # whether all is up to date, for somebody who may write to it
        self._state, self._chosen = State(**self.arrays), reader(parts.decoder, self.arrays)
        self._observations = Observations(parts, self.arrays["kind"])
        synapses = self.arrays["weight"].size * parts.envs * len(parts.layer.rule.terms)
        self._threads = Threads(parts.agents, threads, synapses)
        self._step = self._threads.all_agents(step, self._state)
        shape = parts.agents, parts.envs
        self._kept = kept_arrays(self.arrays)
        self._no_reward, self._nobody = np.zeros(shape), np.zeros(shape, dtype=bool)

    def begin(self, obs: np.ndarray) -> np.ndarray:
        self.sync()
        self.parts.m.zero_()
        self._go_on(for_good=True)
        return self._run(Transition(obs, self._no_reward, self._nobody, self._nobody), learning=False)

    def step(self, t: Transition) -> np.ndarray:
        action = self._run(t, learning=True)
        if t.any_done:
            self.parts.count_episodes(self.parts.tensor(ended(t)))
        return action

    def reset(self, done: np.ndarray) -> None:
        self.sync()
        self.parts.reset(done)

    def sync(self) -> None:
        layer = self.parts.layer
        if not self._shown:
            show(self._state, *self._kept)
            self._shown = True
        if layer.last is not None and self._pre is None:
            self._pre = self.spikes()[0].movedim(0, 2)
            layer.last = layer.last._replace(pre=self._pre)

    def spikes(self) -> tuple[Tensor, ...]:
        pre = unpack_spikes(self.arrays["bits"][:, 0], self.arrays["late"].shape[1])
        return torch.from_numpy(pre), output_spikes(self.arrays)

    def features(self) -> Tensor:
        index, value = (torch.from_numpy(self.arrays[name][:, 0]) for name in ("index", "value"))
        active = torch.arange(index.shape[-1]) < torch.from_numpy(self.arrays["many"][:, 0, :, None])
        rates = torch.zeros(*index.shape[:2], self.arrays["weight"].shape[1])
        return normalised(rates.scatter_add_(-1, index.long(), value * active))

    def tensors(self) -> dict[str, Tensor]:
        return {f"fused.{name}": torch.from_numpy(array) for name, array in self._own().items()}

    def adopt(self, agents: slice, other: FusedBackend) -> None:
        self.sync()
        self._go_on(for_good=True)  # rows may have other times to wait for
        for name in ("constants", "sharpening", "late", "fade"):
            self.arrays[name][agents] = other.arrays[name][0]
        self._kept = kept_arrays(self.arrays)

    def policy(self, envs: int, seeds: tuple[int, ...]) -> FusedPolicy:
        return FusedPolicy(self.arrays, self.parts.decoder, self._observations, self._threads, envs, seeds, self.sync)

    def _own(self) -> dict[str, np.ndarray]:
        """The arrays that a checkpoint holds, beside those that are tensors of the parts."""
        own = {name: self.arrays[name] for name in ("counters", "index", "value", "many", "power")}
        if self.arrays["dense"]:
            return {**own, "age": self.arrays["age"]}
        rows = {name: self.arrays[name] for name in ("touched", "queue", "queued", "joined", "owed", "owed_by_critic")}
        return {**own, **rows, **{f"kept{i}": array for i, array in enumerate(self._kept)}}

    def _go_on(self, for_good: bool = False) -> None:
        """Leave off showing, see `looks`."""
        go_on(self._state, *self._kept, for_good)
        self._shown = False

    def _run(self, t: Transition, learning: bool) -> np.ndarray:
        self.parts.statistics.windows += 1
        if self._pre is not None:
            self.arrays["bits"][:, 0], self._pre = pack_spikes(self._pre.numpy()), None
        if self._shown:
            self._go_on()
        if self._observations.are_masked:
            self._observations.mask(t.obs, self.arrays)
        obs = final_obs = self._observations.coded(t.obs)
        if t.final_obs is not None:
            final_obs = self._observations.coded(t.final_obs)
        restarted = self._nobody if t.restarted is None else t.restarted
        self._step(obs, final_obs, t.reward, t.terminated, t.truncated, restarted, learning)
        return self._chosen()
