"""The fused CPU path of an agent: its tensors, seen as arrays by compiled code."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.fused.constants import constants_of
from rstdp_agents.agent.fused.decoders import allow, decoder_arrays, reader
from rstdp_agents.agent.fused.encoders import GIVEN, code_of
from rstdp_agents.agent.fused.place_cell_grids import compiled
from rstdp_agents.agent.fused.spikes import MAX_TICKS, output_spikes, pack_spikes, unpack_spikes
from rstdp_agents.agent.fused.state import State
from rstdp_agents.agent.fused.step import step
from rstdp_agents.agent.fused.synapse_pass import write_eligibility
from rstdp_agents.agent.modulators import RewardMinusBaseline, TDError
from rstdp_agents.base.compiled import ENABLED
from rstdp_agents.base.plugins import is_plugin
from rstdp_agents.base.records import records
from rstdp_agents.codecs.decoders import PopulationDecoder
from rstdp_agents.codecs.decoders.factored import FactoredDecoder, MixedDecoder
from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.codecs.encoders.base import computable
from rstdp_agents.codecs.encoders.counted import Counted
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.equations.lanes import WIDTH
from rstdp_agents.equations.neuron import LIFParams
from rstdp_agents.equations.traces import powers
from rstdp_agents.spiking.homeostasis import HomeostasisState
from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET, PairRule, RewardSwitch
from rstdp_agents.spiking.synapses import Linear

if TYPE_CHECKING:
    from rstdp_agents.agent.agent import Agent


KNOWN = (
    LIFParams, Linear, PopulationDecoder, PopulationVector, FactoredDecoder, MixedDecoder, TDError, RewardMinusBaseline,
    RSTDP, RSTDPET, RewardSwitch,
)  # fmt: skip
"""Neurons, synapses, decoders, modulators and rules that compiled code knows, and not what is derived from them."""
WORTH_SPLITTING = 200_000
"""Eligibilities above which a call is split over threads; with fewer, it takes less than about 0.3 ms."""


def why_not(agent: Agent) -> str:
    """Why this agent cannot run fused, in words; empty if it can."""
    layer = agent.layer
    if not ENABLED:
        return "NUMBA_DISABLE_JIT forbids to compile anything"
    if agent.network.hidden:
        return "it takes one layer, and this network has hidden ones"
    for name in filter(is_plugin, (agent.config.decoder.code, agent.config.modulator)):
        return f"it does not know {name}"
    for part in (layer.neuron, layer.synapse, agent.decoder, agent.modulator, layer.rule):
        if type(part) not in KNOWN:
            return f"it does not know {type(part).__name__}"
    if agent.device.type != "cpu" or agent.dtype != torch.float32:
        return f"it runs float32 on the CPU, not {agent.dtype} on {agent.device}"
    if layer.rule.needs_scan:
        return "the rule's traces are set by spikes, or its pairs depend on the weight"
    if agent.config.simulation.ticks > MAX_TICKS:
        return f"a window has more than {MAX_TICKS} ticks"
    if not layer.fresh_each_window:
        return "membranes and traces are carried over from window to window"
    return ""


class FusedEngine:
    """Runs a population's env steps in compiled code, on the very memory of the agent's tensors.

    The tensors become views of memory that is ordered for it: synapses run along the output neurons, padded to sixteens.
    threads: the agents are split over so many where that pays.
    """

    def __init__(self, agent: Agent, seeds: tuple[int, ...], threads: int) -> None:
        self.agent = agent
        layer, statistics, ticks = agent.layer, agent.statistics, agent.config.simulation.ticks
        agents, envs, inputs, self._outputs = agent.agents, agent.envs, agent.encoder.size, agent.decoder.size
        padded, terms = -(-self._outputs // WIDTH) * WIDTH, len(layer.rule.terms)
        layer.pairs = layer.pairs._replace(z=())  # its memory goes before ours comes: there is nothing larger
        weight = torch.zeros(agents, inputs, padded)
        z = torch.zeros(agents, terms, envs if layer.last is None else 0, inputs, padded)
        credit = torch.zeros(agents, terms, envs, ticks + 1, padded)
        rate, offset = torch.zeros(2, agents, padded)
        layer.weight = self._view(weight).copy_(layer.weight)
        if layer.last is None:
            layer.pairs = layer.pairs._replace(z=tuple(self._view(z[:, k]) for k in range(terms)))
        else:
            layer.last = layer.last._replace(credit=credit[..., :ticks, : self._outputs].unbind(1))
        self._pre: Tensor | None = None  # spikes that the layer shows now, as `sync` made them
        kept = zip((rate, offset), layer.homeostasis, strict=True)
        layer.homeostasis = HomeostasisState(*(memory[:, : self._outputs].copy_(value) for memory, value in kept))
        self.counters = torch.zeros(agents, 3, dtype=torch.int64)
        self.counters[:, 0] = torch.tensor(seeds)
        td = agent.modulator if isinstance(agent.modulator, TDError) else None
        baseline = agent.modulator if isinstance(agent.modulator, RewardMinusBaseline) else None
        critic = td.weight if td else torch.zeros(agents, inputs)
        trace = td.trace if td else torch.zeros(agents, envs, inputs)
        r_bar = baseline.r_bar if baseline else torch.zeros(agents, 1)
        shape = (agents, envs)
        late, rule_terms, amplitudes = rule_arrays(layer.rule, ticks, layer.dt)
        self._first = agent.encoder.first if isinstance(agent.encoder, Counted) else None
        encoder = agent.encoder.encoder if isinstance(agent.encoder, Counted) else agent.encoder
        code = code_of(encoder)
        self.arrays = dict(
            **code._asdict(), **decoder_arrays(agent.decoder, shape), constants=records(constants_of(agent), agents),
            late=np.tile(late, (agents, 1)),
            terms=rule_terms, amplitudes=amplitudes, weight=weight.numpy(), rate=rate.numpy(), offset=offset.numpy(),
            critic=critic.numpy(), r_bar=r_bar.numpy(), lr=agent.lr.numpy(), sums=statistics.sums.numpy(),
            pre_count=statistics.spikes[0].numpy(), post_count=statistics.spikes[1].numpy(),
            counters=self.counters.numpy(), z=z.numpy(),
            live=np.ones((agents, inputs), np.bool_), trace=trace.numpy(),
            rates=np.zeros((*shape, inputs), np.float32), after=np.zeros((*shape, inputs), np.float32),
            bits=np.zeros((agents, 2, envs, inputs), np.uint64), post=np.zeros((*shape, ticks, padded), np.float32),
            credit=credit.numpy(), m=agent.m.numpy(),
        )  # fmt: skip
        self._state, self._chosen = State(**self.arrays), reader(agent.decoder, self.arrays)
        parts = min(threads, agents) if envs * terms * weight.numel() >= WORTH_SPLITTING else 1
        self._parts = list(pairwise(np.linspace(0, agents, parts + 1).astype(int).tolist()))
        self._pool = ThreadPoolExecutor(parts, "agents", torch.set_flush_denormal, (True,)) if parts > 1 else None
        self._rates_are_given, self._grids = code.kind == GIVEN, compiled(encoder)
        self._no_reward, self._nobody = np.zeros(shape), np.zeros(shape, dtype=bool)

    def begin(self, obs: np.ndarray) -> np.ndarray:
        """As `Agent.begin`."""
        self.sync()
        self.agent.m.zero_()
        t = Transition(obs, self._no_reward, self._nobody, self._nobody)
        return self._run(t, learning=False)

    def step(self, t: Transition) -> np.ndarray:
        """As `Agent.step`."""
        return self._run(t, learning=True)

    def _run(self, t: Transition, learning: bool) -> np.ndarray:
        self.agent.statistics.windows += 1
        if self._pre is not None:  # somebody may have written to it
            self.arrays["bits"][:, 0], self._pre = pack_spikes(self._pre.numpy()), None
        self.mask(t.obs, self.arrays)
        obs = final_obs = self.coded(t.obs)
        if t.final_obs is not None:
            final_obs = self.coded(t.final_obs)
        restarted = self._nobody if t.restarted is None else t.restarted
        self.over_agents(step, self._state, obs, final_obs, t.reward, t.terminated, t.truncated, restarted, learning)
        return self._chosen()

    def over_agents(self, kernel: Callable[..., None], state: State, *rest: Any) -> None:
        """Call ``kernel(state, begin, end, *rest)`` for all agents, split over the threads where that pays."""
        if self._pool is None:
            return kernel(state, 0, self.agent.agents, *rest)
        for part in [self._pool.submit(kernel, state, *part, *rest) for part in self._parts]:
            part.result()

    def mask(self, obs: np.ndarray, arrays: dict[str, Any]) -> None:
        """Note in the fields ``arrays`` of a state which actions ``obs`` allows, where it says so."""
        allowed = self.agent.rows.allowed(obs)
        if allowed is not None:
            allow(allowed, arrays)

    def coded(self, obs: np.ndarray) -> np.ndarray:
        """Observations as compiled code takes them, ``(agents, envs, dims)``: as they are if it knows the encoder."""
        if self._rates_are_given and self._grids is None:
            return self.agent.coded(obs).numpy()
        obs = computable(obs)
        if self._first is not None:
            obs = obs - self._first.reshape(obs.shape[2:])
        if self._grids is not None:
            return self._grids.rates(obs)
        return obs if obs.ndim == 3 else obs.reshape(*obs.shape[:2], -1)

    def adopt(self, agents: slice, other: FusedEngine) -> None:
        """Let some agents have the constants of another engine's first agent, in place of those of this configuration."""
        for name in ("constants", "late"):
            self.arrays[name][agents] = other.arrays[name][0]

    def sync(self) -> None:
        """Bring the layer's eligibility up to date, for whoever looks at it, or writes to it."""
        if self.agent.layer.last is None:
            return write_eligibility(self._state)
        if self._pre is None:
            self._pre = self.spikes()[0].movedim(0, 2)
            self.agent.layer.last = self.agent.layer.last._replace(pre=self._pre)

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint holds beside the agent's own tensors, once `sync` was called; by name."""
        return {"fused.counters": self.counters, "fused.rates": torch.from_numpy(self.arrays["rates"])}

    def spikes(self) -> tuple[Tensor, Tensor]:
        """Input and output spikes of the last window, ``(ticks, agents, envs, neurons)``."""
        pre = unpack_spikes(self.arrays["bits"][:, 0], self.arrays["late"].shape[1])
        return torch.from_numpy(pre), output_spikes(self.arrays)

    def _view(self, synapses: Tensor) -> Tensor:
        """``(..., inputs, padded)`` as the torch path sees it, ``(..., outputs, inputs)``."""
        return synapses[..., : self._outputs].transpose(-1, -2)


def rule_arrays(rule: PairRule, ticks: int, dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``late``, ``terms`` and ``amplitudes`` of `state.FIELDS`, for windows of ``ticks`` ticks of ``dt`` ms."""
    per_tick, _ = rule.decays(ticks, dt)
    late = powers(per_tick, 0, ticks).flip(0).numpy()
    switched = np.zeros((len(rule.terms), 2))
    if isinstance(rule, RewardSwitch):
        pairs = ((rule.a_plus, rule.a_plus_punished), (rule.a_minus, rule.a_minus_punished))
        switched[:] = pairs[: len(rule.terms)]
    return late, np.array(rule.terms, dtype=np.float64), switched
