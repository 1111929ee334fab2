"""The fused CPU path of an agent: its tensors, seen as arrays by compiled code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.decoders import PopulationDecoder
from rstdp_agents.encoders import PlaceCells
from rstdp_agents.fused.encode import encode_grid
from rstdp_agents.fused.kernels import Constants
from rstdp_agents.fused.step import fold, step
from rstdp_agents.modulators import RewardMinusBaseline, TDError
from rstdp_agents.neurons import LIFParams
from rstdp_agents.plasticity import PairRule, RewardSwitch
from rstdp_agents.synapses import Linear
from rstdp_agents.traces import decay, powers
from rstdp_agents.transition import Transition

if TYPE_CHECKING:
    from rstdp_agents.agent import Agent

GATES = ("centred", "chosen", "none")
HOMEOSTASIS = ("none", "bias", "threshold")


def why_not(agent: Agent) -> str:
    """Why this agent cannot run fused, in words; empty if it can."""
    layer = agent.layer
    known = ((layer.neuron, LIFParams), (layer.synapse, Linear), (agent.decoder, PopulationDecoder))
    for part, kind in known:
        if type(part) is not kind:
            return f"it does not know {type(part).__name__}"
    if type(agent.modulator) not in (TDError, RewardMinusBaseline):
        return f"it does not know {type(agent.modulator).__name__}"
    if agent.device.type != "cpu" or agent.dtype != torch.float32:
        return f"it runs float32 on the CPU, not {agent.dtype} on {agent.device}"
    if layer.rule.needs_scan:
        return "the rule's traces are set by spikes, or its pairs depend on the weight"
    if not layer.fresh_each_window:
        return "membranes and traces are carried over from window to window"
    return ""


class FusedEngine:
    """Runs a population's env steps in compiled code, on the very memory of the agent's tensors."""

    def __init__(self, agent: Agent, seeds: tuple[int, ...]) -> None:
        self.agent = agent
        layer, shape = agent.layer, (agent.agents, agent.envs)
        inputs, outputs, ticks = agent.encoder.size, agent.decoder.size, agent.config.simulation.ticks
        halves, statistics = len(layer.rule.halves), agent.statistics
        z = layer.pairs.z
        stacked = z[0][None] if halves == 1 else torch.stack(z)
        layer.pairs = layer.pairs._replace(z=tuple(stacked))
        self.counters = torch.zeros(agent.agents, 3, dtype=torch.int64)
        self.counters[:, 0] = torch.tensor(seeds)
        td = agent.modulator if isinstance(agent.modulator, TDError) else None
        critic = td.weight if td else torch.zeros(agent.agents, inputs)
        r_bar = (
            agent.modulator.r_bar if isinstance(agent.modulator, RewardMinusBaseline) else torch.zeros(agent.agents, 1)
        )
        trace = td.trace if td else torch.zeros(*shape, inputs)
        self._pre = torch.zeros(*shape, ticks, inputs)
        self._post = torch.zeros(*shape, outputs, ticks, dtype=torch.uint8)
        self._action_rates = torch.zeros(*shape, agent.decoder.actions)
        self._action = np.zeros(shape, dtype=np.int64)
        self._rates, self._next = (np.zeros((*shape, inputs), dtype=np.float32) for _ in range(2))
        self._gate = torch.zeros(*shape, outputs)
        self._factors = torch.zeros(*shape, halves, ticks, inputs)
        weights = (
            layer.weight,
            *layer.homeostasis,
            critic,
            r_bar,
            agent.lr,
            statistics.sums,
            statistics.pre,
            statistics.post,
            self.counters,
        )
        envs = (
            stacked,
            trace,
            self._rates,
            self._pre,
            self._factors,
            self._post,
            self._gate,
            agent.m,
            self._action_rates,
        )
        arrays = [t.numpy() if isinstance(t, Tensor) else t for t in (*weights, *envs)]
        self._constants = np.array(constants(agent), dtype=np.float64)
        self._state: tuple[Any, ...] = (
            self._constants,
            *arrays,
            self._action,
            *rule_arrays(layer.rule, ticks, layer.dt),
        )
        self._fold = (
            self._constants,
            *(t.numpy() for t in (stacked, self._factors, self._post, self._gate, self.counters)),
        )
        self._nothing = np.zeros(shape), np.zeros(shape, dtype=bool)
        self._drawn_here = np.zeros((0, 0), dtype=np.float32)

    def begin(self, obs: np.ndarray, uniform: np.ndarray | None = None) -> np.ndarray:
        """As `Agent.begin`; ``uniform`` as in `step`."""
        self.encode(obs, self._next)
        drawn = self._drawn_here if uniform is None else uniform
        no_reward, nobody = self._nothing
        self.agent.m.zero_()
        self.agent.statistics.windows += 1
        step(self._next, self._next, no_reward, nobody, nobody, drawn, False, *self._state)
        return self._action + self.agent.first_action

    def step(self, t: Transition, uniform: np.ndarray | None = None) -> np.ndarray:
        """As `Agent.step`. uniform: numbers ``(agents, n)`` for this window, in the order of `AgentRandom.windows`."""
        self.encode(t.obs, self._next)
        after = self._next
        if t.final_obs is not None:
            after = np.empty_like(self._next)
            self.encode(t.final_obs, after)
            after = np.where(t.truncated[..., None], after, self._next)
        self.agent.statistics.windows += 1
        drawn = self._drawn_here if uniform is None else uniform
        done = t.terminated | t.truncated if t.any_done else t.terminated
        step(after, self._next, t.reward, t.terminated, done, drawn, True, *self._state)
        return self._action + self.agent.first_action

    def encode(self, obs: np.ndarray, out: np.ndarray) -> None:
        """Relative rates ``(agents, envs, pre)`` of observations, written to ``out``."""
        encoder = self.agent.encoder
        if isinstance(encoder, PlaceCells):
            encode_grid(obs, *encoder.grid, encoder.floor, out)
        else:
            out[...] = encoder.rates(self.agent.tensor(obs)).numpy()

    def sync(self) -> None:
        """Bring the eligibility up to date, for whoever looks at it."""
        fold(*self._fold)

    def spikes(self) -> tuple[Tensor, Tensor]:
        """Input and output spikes of the last window, ``(ticks, agents, envs, neurons)``."""
        return self._pre.permute(2, 0, 1, 3), self._post.permute(3, 0, 1, 2).float()


def constants(agent: Agent) -> Constants:
    """The numbers of the agent's configuration."""
    layer, n, h, m = agent.layer, agent.layer.neuron, agent.layer.homeostasis_params, agent.config.modulation
    d_plus, d_minus = layer.rule.trace_decays(layer.dt)
    _, decay_z = layer.rule.decays(agent.config.simulation.ticks, layer.dt)
    rate = agent.modulator.rate if isinstance(agent.modulator, RewardMinusBaseline) else 0.0
    switch = layer.rule if isinstance(layer.rule, RewardSwitch) else None
    return Constants(
        p_max=agent.p_max, keep_v=decay(n.tau_m, layer.dt), v_th=n.v_th, v_rest=n.v_rest, v_reset=n.v_reset,
        refractory_ticks=round(n.t_ref / layer.dt), escape_noise=n.escape_noise, decay_x=d_plus, decay_y=d_minus,
        decay_z=decay_z, gain=layer.rule.gain(layer.dt), w_min=layer.bounds[0], w_max=layer.bounds[1],
        switch=switch is not None, zero_punishes=switch is not None and switch.zero_punishes,
        inverse_temperature=agent.decoder.inverse_temperature,
        gate=GATES.index(agent.decoder.gate), td=isinstance(agent.modulator, TDError), reward_scale=m.reward_scale,
        gamma=m.gamma, trace_decay=m.gamma * m.lambda_, critic_lr=m.critic_lr, deadband=m.deadband, baseline_rate=rate,
        homeostasis=HOMEOSTASIS.index(h.param), rate_target=h.rate_target,
        rate_mix=1.0 - decay(h.tau_rate, layer.window_ms), homeostasis_lr=h.lr, offset_limit=h.limit,
        window=layer.window_ms,
    )  # fmt: skip


def rule_arrays(rule: PairRule, ticks: int, dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`step.Rule` of a rule: what is left of each tick's pairs, the halves' amplitudes, and those of a reward switch."""
    per_tick, _ = rule.decays(ticks, dt)
    late = powers(per_tick, 0, ticks).flip(0).numpy()
    switched = np.zeros((len(rule.halves), 2))
    if isinstance(rule, RewardSwitch):
        pairs = ((rule.a_plus, rule.a_plus_punished), (rule.a_minus, rule.a_minus_punished))
        switched[:] = pairs[: len(rule.halves)]
    return late, np.array(rule.halves, dtype=np.float64), switched
