"""The spiking agent: acts, remembers what it did, and learns from the modulator. Populations share every call."""

from __future__ import annotations

from typing import NamedTuple

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rstdp_agents.config import AgentConfig
from rstdp_agents.decoders import PopulationDecoder, sample
from rstdp_agents.encoders import build_encoder, poisson
from rstdp_agents.layer import Layer
from rstdp_agents.modulators import Reward, RewardMinusBaseline, Step, TDError
from rstdp_agents.plasticity import RSTDP, RSTDPET, PairRule, RewardSwitch
from rstdp_agents.random import AgentRandom
from rstdp_agents.synapses import Linear


class Transition(NamedTuple):
    """What came of an action; the leading axes of every array are ``(agents, envs)``."""

    obs: np.ndarray
    """Observation to act on next (of a finished env: the first of its new episode)."""
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    final_obs: np.ndarray | None = None
    """True last observation where `truncated`; other rows are not read. None if no env was truncated."""


class Window(NamedTuple):
    """What the agent did in its last window, for whoever watches."""

    pre: Tensor
    """Input spikes ``(ticks, agents, envs, pre)``."""
    post: Tensor
    """Output spikes ``(ticks, agents, envs, out)``."""
    action_rates: Tensor
    """``(agents, envs, actions)``, spikes per neuron and tick."""
    probabilities: Tensor
    """Policy it acted by, ``(agents, envs, actions)``."""


def build_rule(config: AgentConfig) -> PairRule:
    """The learning rule that the configuration names."""
    p = config.plasticity
    pairs = {"a_plus": p.a_plus, "a_minus": p.a_minus, "tau_plus": p.tau_plus, "tau_minus": p.tau_minus}
    if config.rule == "rstdp":
        return RSTDP(**pairs)
    if config.rule == "rstdp-et":
        return RSTDPET(**pairs, tau_e=p.tau_e)
    return RewardSwitch(**pairs, tau_e=p.tau_e, a_plus_punished=p.a_plus, a_minus_punished=p.a_minus)


class Agent:
    """Encoder -> spikes -> plastic layer -> population decoder, and a modulator; for ``(agents, envs)`` at once.

    seeds: one per agent; agents differ in nothing else. lr_scale: factor on the learning rate of each agent
    ``(agents,)``, 0 for a frozen twin; all ones if None.
    """

    def __init__(
        self, config: AgentConfig, observation_space: gym.Space, action_space: gym.Space, *, seeds: tuple[int, ...],
        envs: int = 1, lr_scale: Tensor | None = None, device: str = "cpu", dtype: torch.dtype = torch.float32,
    ) -> None:  # fmt: skip
        self.config, self.agents, self.envs = config, len(seeds), envs
        self.device, self.dtype = torch.device(device), dtype
        if not isinstance(action_space, gym.spaces.Discrete):
            raise ValueError(f"action space {action_space} is not supported yet; supported is Discrete")
        self.random = AgentRandom(seeds, self.device, dtype)
        e, d, p, s = config.encoder, config.decoder, config.plasticity, config.simulation
        self.encoder = build_encoder(observation_space, e.low, e.high, e.cells, e.width).to(self.device, dtype)
        self.decoder = PopulationDecoder(int(action_space.n), d.neurons_per_action, d.inverse_temperature, d.gate)
        self.first_action = int(action_space.start)
        self.p_max = e.rate_max * s.dt / 1000.0
        synapse = Linear(self.encoder.size, self.decoder.size)
        weight = self.random.uniform(synapse.post * synapse.pre).mul_(2).sub_(1).mul_(p.w_init)
        self.layer = Layer(
            "output", synapse, weight.reshape(self.agents, *synapse.weight_shape), envs, neuron=config.neuron,
            rule=build_rule(config), homeostasis=config.homeostasis, bounds=(p.w_min, p.w_max), ticks=s.ticks, dt=s.dt,
            fresh_each_window=s.fresh_each_window,
        )  # fmt: skip
        self.modulator = self._build_modulator()
        scale = torch.ones(self.agents) if lr_scale is None else lr_scale
        self.lr = (p.lr * scale).to(self.device, dtype)
        self.m = torch.zeros(self.agents, envs, device=self.device, dtype=dtype)
        self.window: Window
        self._features: Tensor

    def begin(self, obs: np.ndarray) -> np.ndarray:
        """First actions ``(agents, envs)`` of an experiment, for observations ``(agents, envs, *obs)``."""
        return self._act(self.encoder.rates(self._tensor(obs)))

    def step(self, t: Transition) -> np.ndarray:
        """Learn from what came of the last actions, forget what ended, and choose the next actions ``(agents, envs)``."""
        rates = self.encoder.rates(self._tensor(t.obs))
        self._learn(t, rates)
        done = self._tensor(t.terminated | t.truncated).bool()
        if t.terminated.any() or t.truncated.any():
            self.layer.reset(done)
        return self._act(rates)

    def _learn(self, t: Transition, rates: Tensor) -> None:
        next_features = normalised(rates)
        if t.final_obs is not None:
            cut = self._tensor(t.truncated).bool()
            next_features = torch.where(
                cut[..., None], normalised(self.encoder.rates(self._tensor(t.final_obs))), next_features
            )
        terminated = self._tensor(t.terminated)
        done = terminated.bool() | self._tensor(t.truncated).bool()
        self.m = self.modulator(Step(self._tensor(t.reward), terminated, done, self._features, next_features))
        self.layer.learn(self.m, self.lr)

    def _act(self, rates: Tensor) -> np.ndarray:
        self._features = normalised(rates)
        pre_uniform, post_uniform, choice = self._draw()
        pre = poisson(rates, pre_uniform, self.p_max)
        post = self.layer.forward(pre, post_uniform)
        action_rates = self.decoder.action_rates(post)
        probabilities = self.decoder.probabilities(action_rates)
        action = sample(probabilities, choice)
        self.layer.remember(pre, post, self.decoder.credit(action, probabilities))
        self.window = Window(pre, post, action_rates, probabilities)
        return action.cpu().numpy() + self.first_action

    def _draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Random numbers of one window, one draw per agent: for input spikes, output noise, and the choice of action."""
        ticks, n_pre, n_post = self.config.simulation.ticks, self.encoder.size, self.decoder.size
        per_env = ticks * (n_pre + n_post) + 1
        drawn = self.random.uniform(self.envs * per_env)
        pre, post, choice = drawn.split([self.envs * ticks * n_pre, self.envs * ticks * n_post, self.envs], 1)
        pre = pre.reshape(self.agents, ticks, self.envs, n_pre).transpose(0, 1)
        return pre, post.reshape(self.agents, ticks, self.envs, n_post).transpose(0, 1), choice

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.as_tensor(array, dtype=self.dtype, device=self.device)

    def _build_modulator(self) -> Reward | RewardMinusBaseline | TDError:
        c = self.config.modulation
        if self.config.modulator == "reward":
            return Reward(c.reward_scale)
        if self.config.modulator == "reward-baseline":
            return RewardMinusBaseline(c.reward_scale, c.tau_baseline, self.agents, self.device, self.dtype)
        shape = (self.agents, self.envs, self.encoder.size)
        return TDError(c.reward_scale, c.gamma, c.lambda_, c.critic_lr, shape, self.device, self.dtype)


def normalised(rates: Tensor) -> Tensor:
    """Rates scaled to sum 1 over the neurons: the features of the critic."""
    return rates / rates.sum(-1, keepdim=True)
