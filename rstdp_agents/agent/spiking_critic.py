"""A critic of spiking neurons: values of either sign from two populations, learnt by the rule of the agent's other synapses."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.agent.modulators import ModulatorConfig, Step
from rstdp_agents.codecs.encoders import bernoulli
from rstdp_agents.equations.critic import td_error
from rstdp_agents.equations.rate_control import HomeostasisParams
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.layer import Layer
from rstdp_agents.spiking.neurons import Neuron
from rstdp_agents.spiking.plasticity import RSTDP
from rstdp_agents.spiking.plasticity.options import PlasticityConfig
from rstdp_agents.spiking.plasticity.update import add_modulated
from rstdp_agents.spiking.synapses import Linear


class SpikingCritic:
    """m = delta, as of `modulators.TDError`, with V read from spikes.

    V = value_init + value_scale (rate of the positive neurons - rate of the negative ones), rates in spikes per neuron and tick
    of a window of its own for each state. Their synapses learn by R-STDP with an eligibility trace, delta itself being the
    modulator and +1 and -1 the gates of the two: e <- gamma lambda e + spike pairs of the window, dw = critic_lr delta e. The
    spikes that become eligible are those of one window, the value of the same state that of another: with the same for both,
    a window of many spikes would be blamed for what it claims itself. What was claimed of the next state is the value to start
    from in the next step, until an episode ends: the noise of a window then enters two errors with opposite signs, and
    largely cancels in whatever an eligibility trace sums up.

    shape: ``(agents, envs, pre)`` of the features. random: the agents' own numbers, from which the critic draws too.
    plasticity: of it the spike traces' time constants and the weights' bounds. ticks, dt, rate_max: of a window; the most
    active input fires at ``rate_max`` (Hz).
    """

    def __init__(
        self, p: ModulatorConfig, shape: tuple[int, int, int], random: AgentRandom, *, neuron: Neuron,
        plasticity: PlasticityConfig, ticks: int, dt: float, rate_max: float,
    ) -> None:  # fmt: skip
        (agents, envs, inputs), device, dtype = shape, random.device, random.dtype
        self.p, self._ticks, self._p_max, self._half = p, ticks, rate_max * dt / 1000.0, p.critic_neurons // 2
        self._random = random
        weight = torch.zeros(agents, 2 * self._half, inputs, device=device, dtype=dtype)
        self.layer = Layer(
            "critic", Linear(inputs, 2 * self._half), weight, envs, neuron=neuron,
            rule=RSTDP(1.0, 0.0, plasticity.tau_plus, plasticity.tau_minus),
            homeostasis=HomeostasisParams(param="none"), bounds=(plasticity.w_min, plasticity.w_max),
            ticks=ticks, dt=dt, fresh_each_window=True,
        )  # fmt: skip
        self.trace = torch.zeros(agents, envs, 2 * self._half, inputs, device=device, dtype=dtype)
        self.claimed = torch.zeros(agents, envs, device=device, dtype=dtype)
        self.new = torch.ones(agents, envs, device=device, dtype=torch.bool)
        sign = torch.tensor([1.0] * self._half + [-1.0] * self._half, device=device, dtype=dtype)
        self._gate = sign.expand(agents, envs, -1)

    def __call__(self, step: Step) -> Tensor:
        envs = step.features.shape[1]
        value, pre, post = self._respond(torch.cat([step.features, step.features, step.next_features], 1), self._random)
        self.layer.remember(pre[:, :, :envs], post[:, :, :envs], self._gate)
        self.trace.mul_(self.p.gamma * self.p.lambda_).add_(self.layer.eligibility()[0])
        _, now, following = value.split(envs, 1)
        now = torch.where(self.new, now, self.claimed)
        delta = step.taken(td_error(step.reward, step.terminated, now, following, self.p))
        self.claimed.copy_(following)
        self.new.fill_(False)
        add_modulated(self.layer.weight, (self.trace,), (self.p.critic_lr * delta,))
        self.layer.clamp()
        return delta

    def value(self, features: Tensor) -> Tensor:
        """Value ``(agents, envs)`` by noise of its own: looking changes nothing."""
        return self._respond(features, AgentRandom(tuple(range(len(features))), features.device, features.dtype))[0]

    def reset(self, done: Tensor) -> None:
        self.trace[done] = 0.0
        self.new[done] = True

    def tensors(self) -> dict[str, Tensor]:
        learnt = {"critic.weight": self.layer.weight, "critic.trace": self.trace}
        return {**learnt, "critic.claimed": self.claimed, "critic.new": self.new}

    def _respond(self, features: Tensor, random: AgentRandom) -> tuple[Tensor, Tensor, Tensor]:
        """Value ``(agents, envs)`` and the spikes of one window for features ``(agents, envs, pre)``."""
        envs = features.shape[1]
        pre_uniform, post_uniform, _ = random.windows(envs, self._ticks, (features.shape[2], 2 * self._half))
        pre = bernoulli(features / features.amax(-1, keepdim=True), pre_uniform, self._p_max)
        post, _ = self.layer.forward(pre, post_uniform, self.layer.neurons)
        rate = post.mean(0).unflatten(-1, (2, self._half)).mean(-1)
        return self.p.value_init + self.p.value_scale * (rate[..., 0] - rate[..., 1]), pre, post
