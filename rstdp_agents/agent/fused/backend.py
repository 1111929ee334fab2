"""The fused backend: a whole env step of a population in one compiled call."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.fused.arrays import arrays_of
from rstdp_agents.agent.fused.decoders import reader
from rstdp_agents.agent.fused.kernel import BEGIN, GO_ON, LEARN, SHOW, STAY, kernel, nothing
from rstdp_agents.agent.fused.layer_arrays import show_last, take_last
from rstdp_agents.agent.fused.looks import Kept
from rstdp_agents.agent.fused.observations import Observations
from rstdp_agents.agent.fused.policy import FusedPolicy
from rstdp_agents.agent.fused.spikes import layer_spikes
from rstdp_agents.agent.fused.state import State
from rstdp_agents.agent.fused.threads import Threads
from rstdp_agents.agent.fused.words import unpack_spikes
from rstdp_agents.agent.parts import AgentParts, ended
from rstdp_agents.agent.window import normalised
from rstdp_agents.codecs.transition import Transition

WAITING = ("touched", "queue", "queued", "joined", "owed")
"""Of rows that are not dense, what a checkpoint holds."""


class FusedBackend:
    """See `backend.Backend`. Works on the very memory of the parts' tensors (`arrays.arrays_of`).

    threads: the agents are split over so many where that pays.
    """

    name = "fused"

    def __init__(self, parts: AgentParts, threads: int) -> None:
        self.parts, self.arrays = parts, arrays_of(parts)
        self._showing: set[int] = set()  # layers whose last window is shown as `sync` made it
        self._shown = False  # whether all is up to date, for somebody who may write to it
        self._chosen = reader(parts.decoder, self.arrays)
        self._observations = Observations(parts, self.arrays["kind"])
        weights = sum(layer["weight"].size for layer in self.arrays["layers"])
        synapses = weights * parts.envs * len(parts.layer.rule.terms)
        self._threads = Threads(parts.agents, threads, synapses)
        self._nothing = nothing(parts.agents, parts.envs)
        self._enter()

    def begin(self, obs: np.ndarray) -> np.ndarray:
        self.sync()
        self.parts.m.zero_()
        self._go_on(STAY)
        return self._run(BEGIN, Transition(obs, *self._nothing[2:5]))

    def step(self, t: Transition) -> np.ndarray:
        action = self._run(LEARN, t)
        if t.any_done:
            self.parts.count_episodes(self.parts.tensor(ended(t)))
        return action

    def reset(self, done: np.ndarray) -> None:
        self.sync()
        self.parts.reset(done)

    def sync(self) -> None:
        if not self._shown:
            for array in self.arrays["kept"].arrays:
                array.fill(0.0)
            self._kernel(SHOW, *self._nothing)
            self._shown = True
        for i, layer in enumerate(self.parts.network.layers):
            if layer.last is not None and i not in self._showing:
                layer.last = show_last(layer, self.arrays["layers"][i])
                self._showing.add(i)

    def spikes(self) -> tuple[Tensor, ...]:
        pre = torch.from_numpy(unpack_spikes(self.arrays["layers"][0]["bits"][:, 0], self.arrays["late"].shape[1]))
        return pre, *(layer_spikes(layer) for layer in self.arrays["layers"])

    def features(self) -> Tensor:
        index, value = (torch.from_numpy(self.arrays[name][:, 0]) for name in ("index", "value"))
        active = torch.arange(index.shape[-1]) < torch.from_numpy(self.arrays["many"][:, 0, :, None])
        rates = torch.zeros(*index.shape[:2], self.parts.inputs)
        return normalised(rates.scatter_add_(-1, index.long(), value * active))

    def tensors(self) -> dict[str, Tensor]:
        return {f"fused.{name}": torch.from_numpy(array) for name, array in self._own().items()}

    def adopt(self, agents: slice, other: FusedBackend) -> None:
        self.sync()
        self._go_on(STAY)  # rows may have other times to wait for
        for name in ("constants", "neuron", "rest", "sharpening", "late", "fade"):
            self.arrays[name][agents] = other.arrays[name][0]
        for own, of_other in zip(self.arrays["layers"], other.arrays["layers"], strict=True):
            own["homeostasis"][agents] = of_other["homeostasis"][0]
        self._enter()

    def policy(self, envs: int, seeds: tuple[int, ...]) -> FusedPolicy:
        return FusedPolicy(self.arrays, self.parts.decoder, self._observations, self._threads, envs, seeds, self.sync)

    def _own(self) -> dict[str, np.ndarray]:
        """The arrays that a checkpoint holds, beside those that are tensors of the parts."""
        own = {name: self.arrays[name] for name in ("counters", "index", "value", "many")}
        for layer, arrays in zip(self.parts.network.layers, self.arrays["layers"], strict=True):
            rows = ("power", "pending", "age") if arrays["age"].size else ("power", "pending", *WAITING)
            own |= {f"{layer.name}.{name}": arrays[name] for name in rows}
        if self.arrays["dense"]:
            return own
        return {
            **own,
            "owed_by_critic": self.arrays["owed_by_critic"],
            **{f"kept{i}": a for i, a in enumerate(self.arrays["kept"].arrays)},
        }

    def _enter(self) -> None:
        """Make what compiled code takes of the arrays."""
        self.arrays["kept"] = Kept(self.arrays)
        self._kernel = self._threads.all_agents(kernel, State(**self.arrays))

    def _go_on(self, how: int = GO_ON) -> None:
        """Leave off showing, see `looks`. how: GO_ON or STAY."""
        for i in self._showing:
            take_last(self.parts.network.layers[i], self.arrays["layers"][i])
        self._showing.clear()
        self._kernel(how, *self._nothing)
        self._shown = False

    def _run(self, what: int, t: Transition) -> np.ndarray:
        self.parts.statistics.windows += 1
        if self._shown:
            self._go_on()
        if self._observations.are_masked:
            self._observations.mask(t.obs, self.arrays)
        obs = final_obs = self._observations.coded(t.obs)
        if t.final_obs is not None:
            final_obs = self._observations.coded(t.final_obs)
        restarted = self._nothing.restarted if t.restarted is None else t.restarted
        self._kernel(what, obs, final_obs, t.reward, t.terminated, t.truncated, restarted)  # of `Came`
        return self._chosen()
