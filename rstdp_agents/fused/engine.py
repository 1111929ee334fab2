"""The fused CPU path of an agent: its tensors, seen as arrays by compiled code."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.decoders import PopulationDecoder
from rstdp_agents.fused.constants import constants_of
from rstdp_agents.fused.decode import decoder_arrays
from rstdp_agents.fused.encode import GIVEN, code_of
from rstdp_agents.fused.lanes import WIDTH
from rstdp_agents.fused.spikes import MAX_TICKS, unpack_spikes
from rstdp_agents.fused.state import State
from rstdp_agents.fused.step import step
from rstdp_agents.fused.synapses import fold
from rstdp_agents.homeostasis import HomeostasisState
from rstdp_agents.modulators import RewardMinusBaseline, TDError
from rstdp_agents.neurons import LIFParams
from rstdp_agents.plasticity import PairRule, RewardSwitch
from rstdp_agents.synapses import Linear
from rstdp_agents.traces import powers
from rstdp_agents.transition import Transition
from rstdp_agents.vector_decoder import PopulationVector

if TYPE_CHECKING:
    from rstdp_agents.agent import Agent


KNOWN = (LIFParams, Linear, PopulationDecoder, PopulationVector, TDError, RewardMinusBaseline)
"""Neurons, synapses, decoders and modulators that compiled code knows."""
WORTH_SPLITTING = 200_000
"""Eligibilities above which a call is split over threads; with fewer, it takes less than about 0.3 ms."""


def why_not(agent: Agent) -> str:
    """Why this agent cannot run fused, in words; empty if it can."""
    layer = agent.layer
    for part in (layer.neuron, layer.synapse, agent.decoder, agent.modulator):
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
        padded, halves = -(-self._outputs // WIDTH) * WIDTH, len(layer.rule.halves)
        weight = torch.zeros(agents, inputs, padded)
        z = torch.zeros(agents, halves, envs, inputs, padded)
        rate, offset = torch.zeros(2, agents, padded)
        layer.weight = self._view(weight).copy_(layer.weight)
        layer.pairs = layer.pairs._replace(z=tuple(self._view(z[:, k]) for k in range(halves)))
        regulated = zip((rate, offset), layer.homeostasis, strict=True)
        layer.homeostasis = HomeostasisState(*(memory[:, : self._outputs].copy_(value) for memory, value in regulated))
        self.counters = torch.zeros(agents, 3, dtype=torch.int64)
        self.counters[:, 0] = torch.tensor(seeds)
        td = agent.modulator if isinstance(agent.modulator, TDError) else None
        baseline = agent.modulator if isinstance(agent.modulator, RewardMinusBaseline) else None
        critic = td.weight if td else torch.zeros(agents, inputs)
        trace = td.trace if td else torch.zeros(agents, envs, inputs)
        r_bar = baseline.r_bar if baseline else torch.zeros(agents, 1)
        shape = (agents, envs)
        self._bits = np.zeros((agents, 2, envs, inputs), dtype=np.uint64)
        self._post = np.zeros((*shape, ticks, padded), dtype=np.float32)
        self._rates = np.zeros((*shape, inputs), dtype=np.float32)
        decoder = decoder_arrays(agent)
        self._action, self._vector = decoder["action"], decoder["vector"]
        late, rule_halves, amplitudes = rule_arrays(layer.rule, ticks, layer.dt)
        code = code_of(agent.encoder)
        self._state = State(
            **code._asdict(), **decoder, constants=np.array(constants_of(agent), dtype=np.float64), late=late,
            halves=rule_halves, amplitudes=amplitudes, weight=weight.numpy(), rate=rate.numpy(), offset=offset.numpy(),
            critic=critic.numpy(), r_bar=r_bar.numpy(), lr=agent.lr.numpy(), sums=statistics.sums.numpy(),
            pre_count=statistics.pre.numpy(), post_count=statistics.post.numpy(), counters=self.counters.numpy(), z=z.numpy(),
            trace=trace.numpy(), rates=self._rates, after=np.zeros((*shape, inputs), np.float32),
            bits=self._bits, credit=np.zeros((agents, halves, envs, ticks + 1, padded), np.float32), post=self._post,
            m=agent.m.numpy(),
        )  # fmt: skip
        parts = min(threads, agents) if z.numel() >= WORTH_SPLITTING else 1
        self._parts = list(pairwise(np.linspace(0, agents, parts + 1).astype(int).tolist()))
        self._pool = ThreadPoolExecutor(parts, "agents", torch.set_flush_denormal, (True,)) if parts > 1 else None
        self._rates_are_given = code.kind == GIVEN
        self._obs_shape = (*shape, -1)
        self._no_reward, self._nobody = np.zeros(shape), np.zeros(shape, dtype=bool)
        self._drawn_here = np.zeros((0, 0), dtype=np.float32)

    def begin(self, obs: np.ndarray, uniform: np.ndarray | None = None) -> np.ndarray:
        """As `Agent.begin`; ``uniform`` as in `step`."""
        self.sync()
        self.agent.m.zero_()
        t = Transition(obs, self._no_reward, self._nobody, self._nobody)
        return self._run(t, uniform, learning=False)

    def step(self, t: Transition, uniform: np.ndarray | None = None) -> np.ndarray:
        """As `Agent.step`. uniform: numbers ``(agents, n)`` for this window, in the order of `AgentRandom.windows`."""
        return self._run(t, uniform, learning=True)

    def _run(self, t: Transition, uniform: np.ndarray | None, learning: bool) -> np.ndarray:
        self.agent.statistics.windows += 1
        obs = final_obs = self._coded(t.obs)
        if t.final_obs is not None:
            final_obs = self._coded(t.final_obs)
        drawn = self._drawn_here if uniform is None else uniform
        restarted = self._nobody if t.restarted is None else t.restarted
        rest = obs, final_obs, t.reward, t.terminated, t.truncated, restarted, drawn, learning
        if self._pool is None:
            step(self._state, 0, self.agent.agents, *rest)
        else:
            for part in [self._pool.submit(step, self._state, *part, *rest) for part in self._parts]:
                part.result()
        decoder = self.agent.decoder
        if isinstance(decoder, PopulationVector):
            return self._vector.reshape(*self._action.shape, *decoder.shape).copy()
        return self._action + decoder.start

    def _coded(self, obs: np.ndarray) -> np.ndarray:
        """Observations as compiled code takes them, ``(agents, envs, dims)``: as they are if it knows the encoder."""
        if self._rates_are_given:
            obs = self.agent.encoder.rates(self.agent.tensor(obs)).numpy()
        return obs.reshape(self._obs_shape)

    def sync(self) -> None:
        """Bring the eligibility up to date, for whoever looks at it."""
        fold(self._state)

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint holds beside the agent's own tensors, once `sync` was called; by name."""
        return {"fused.counters": self.counters, "fused.rates": torch.from_numpy(self._rates)}

    def spikes(self) -> tuple[Tensor, Tensor]:
        """Input and output spikes of the last window, ``(ticks, agents, envs, neurons)``."""
        pre = unpack_spikes(self._bits[:, 0], self._post.shape[2])
        return torch.from_numpy(pre), torch.from_numpy(self._post[..., : self._outputs]).permute(2, 0, 1, 3)

    def _view(self, synapses: Tensor) -> Tensor:
        """``(..., inputs, padded)`` as the torch path sees it, ``(..., outputs, inputs)``."""
        return synapses[..., : self._outputs].transpose(-1, -2)


def rule_arrays(rule: PairRule, ticks: int, dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``late``, ``halves`` and ``amplitudes`` of `state.FIELDS`, for windows of ``ticks`` ticks of ``dt`` ms."""
    per_tick, _ = rule.decays(ticks, dt)
    late = powers(per_tick, 0, ticks).flip(0).numpy()
    switched = np.zeros((len(rule.halves), 2))
    if isinstance(rule, RewardSwitch):
        pairs = ((rule.a_plus, rule.a_plus_punished), (rule.a_minus, rule.a_minus_punished))
        switched[:] = pairs[: len(rule.halves)]
    return late, np.array(rule.halves, dtype=np.float64), switched
