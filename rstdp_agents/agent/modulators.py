"""The third factor: from a transition to the modulator m of every agent and env."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, get_args, runtime_checkable

import torch
from torch import Tensor

from rstdp_agents.base import plugins, validate
from rstdp_agents.equations.critic import (
    critic_trace_step,
    marked_share,
    reward_error,
    reward_mean_step,
    td_error,
)
from rstdp_agents.equations.dopamine import dopamine_share

ModulatorName = Literal["td", "td-spiking", "reward", "reward-baseline"]
GainName = Literal["adaptive", "fixed"]


@dataclass(frozen=True)
class ModulatorConfig:
    """Rewards to the third factor."""

    reward_scale: float = 1.0
    """Factor on every reward; with an adaptive gain it matters only beside `value_init`."""
    gamma: float = 0.99
    """Discount per env step (td)."""
    lambda_: float = 0.8
    """Decay of the critic's trace per env step, in addition to gamma (td)."""
    critic_lr: float = 0.3
    """Share of the error of a state's value that one visit removes, for any code (both critics)."""
    value_init: float = 0.0
    """Initial value of every state (td); a reward that comes for ever is worth reward / (1 - gamma)."""
    critic_neurons: int = 128
    """Neurons of a spiking critic, half of them for negative values (td-spiking)."""
    critic_hz: float = 250.0
    """Rate at which they fire where the value is 0 (Hz; td-spiking)."""
    tau_reach: float = 2_000.0
    """Time constant (env steps) with which their range of values shrinks where none asks for it (td-spiking)."""
    gain: GainName = "adaptive"
    """Units of the modulator that reaches the synapses: its own running size, so that rewards of any scale teach the same
    (adaptive), or those of the reward (fixed)."""
    tau_gain: float = 1000.0
    """Time constant of that running size, in env steps (adaptive)."""
    tau_dopamine: float = 0.0
    """Time constant with which dopamine, and with it what the agent's synapses feel of a modulator, decays (ms of simulated
    time); 0 for a number per env step. A critic learns from its errors as they are."""
    dopamine_neurons: int = 0
    """Neurons whose spikes say the modulator to the agent's synapses; 0 for the number itself."""
    dopamine_hz: float = 5.0
    """Rate at which they fire where nothing is better or worse than expected (Hz)."""
    novelty: float = 0.1
    """Reward for a state that is altogether new, in the units of `gain`, and less for others."""
    deadband: float = 0.0
    """Modulators smaller than this, in the units of `gain`, change no synapses but those of a critic."""
    tau_baseline: float = 100.0
    """Time constant of the running mean of rewards (reward-baseline), in env steps."""

    def __post_init__(self) -> None:
        validate.within("gamma", self.gamma, 0.0, 1.0)
        validate.within("lambda_", self.lambda_, 0.0, 1.0)
        validate.not_negative("critic_lr", self.critic_lr)
        validate.not_negative("deadband", self.deadband)
        validate.not_negative("novelty", self.novelty)
        validate.not_negative("tau_dopamine", self.tau_dopamine, "ms")
        validate.not_negative("dopamine_neurons", self.dopamine_neurons)
        validate.positive("dopamine_hz", self.dopamine_hz, "Hz")
        validate.positive("reward_scale", self.reward_scale)
        validate.positive("critic_hz", self.critic_hz, "Hz")
        validate.require(
            self.critic_neurons >= 2 and self.critic_neurons % 2 == 0,
            f"`critic_neurons` must be an even number, 2 or more; received {self.critic_neurons}",
        )
        validate.require(math.isfinite(self.value_init), f"`value_init` must be finite; received {self.value_init}")
        validate.one_of("gain", self.gain, get_args(GainName))
        for name in ("tau_baseline", "tau_gain", "tau_reach"):
            tau = getattr(self, name)
            validate.require(tau >= 1, f"`{name}` must be 1 env step or more; received {tau}")


class ModulatorConstants(NamedTuple):
    """What compiled code computes with of a modulator and its `ModulatorConfig`."""

    reward_scale: float
    gamma: float
    trace_decay: float
    """Of the critic's trace per env step, gamma lambda."""
    critic_lr: float
    adapts: bool
    """Whether its gain does."""
    gain_share: float
    """Least share of an env step in the running size of modulators, 1 / tau_gain."""
    deadband: float
    dopamine_share: float
    """Share of an env step's modulator in the level of dopamine; 1 where it is the level."""
    dopamine_draws: int
    """Dopamine neurons, times the ticks of an env step."""
    dopamine_rest: float
    """Spikes of one of them expected in a tick without an error."""
    novelty: float
    mean_share: float
    """Share of an env step in the running mean of rewards, 1 / tau_baseline; 0 where there is none."""


class Step(NamedTuple):
    """What a modulator sees of one env step; all ``(agents, envs)`` but the features."""

    reward: Tensor
    terminated: Tensor
    """1.0 where the episode ended for good: nothing is to be expected beyond."""
    features: Tensor
    """Input rates of the state acted in, summing to 1: ``(agents, envs, pre)``."""
    next_features: Tensor
    """The same of the state that came of it (of a truncated episode: its true last state)."""
    restarted: Tensor | None = None
    """bool, envs that took no action but started again: m = 0, and nothing is learnt from them. None if there are none."""

    def taken(self, m: Tensor) -> Tensor:
        """``m`` where an action was taken, 0 elsewhere."""
        return m if self.restarted is None else m.masked_fill(self.restarted, 0.0)


class Modulator(Protocol):
    """From transitions to the third factor, with whatever memory that takes."""

    def __call__(self, step: Step) -> Tensor:
        """Modulator ``(agents, envs)`` of one env step; may learn from it."""
        ...

    def value(self, features: Tensor) -> Tensor | None:
        """Expected return ``(agents, envs)`` for features ``(agents, envs, pre)``; None where it expects nothing."""
        ...

    def reset(self, done: Tensor) -> None:
        """Forget the episode in the envs where ``done (agents, envs)`` bool."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """Its state by name."""
        ...


@runtime_checkable
class SharedModulator(Modulator, Protocol):
    """A modulator of an agent whose envs may be spread over processes, which share what it learns."""

    def learnt(self) -> dict[str, Tensor]:
        """Of `tensors`, what all envs of an agent learn together, ``(agents, ...)``; the others are held for every env."""
        ...


class RewardMinusBaseline:
    """m of `critic.reward_error`, with a running mean of the agent's rewards; ``tau = inf`` leaves m = reward.

    tau: time constant of the mean, in env steps.
    """

    def __init__(self, p: ModulatorConfig, tau: float, agents: int, device: torch.device, dtype: torch.dtype) -> None:
        self.p = p
        self.share = 1.0 / tau
        self.r_bar = torch.zeros(agents, 1, device=device, dtype=dtype)

    def __call__(self, step: Step) -> Tensor:
        m = step.taken(reward_error(step.reward, self.r_bar, self.p))
        self.r_bar.copy_(reward_mean_step(self.r_bar, m.mean(1, keepdim=True), self.share))
        return m

    def value(self, features: Tensor) -> None:
        return None

    def reset(self, done: Tensor) -> None:
        pass

    def tensors(self) -> dict[str, Tensor]:
        return self.learnt()

    def learnt(self) -> dict[str, Tensor]:
        return {"modulator.r_bar": self.r_bar}


class TDError:
    """m = delta, the `critic.td_error` of a critic linear in the input rates that is learnt by TD(lambda).

        V = w . phi

    The critic learns by `critic.critic_step`, the mean over the envs, and its trace is `critic.critic_trace_step`. V(next) counts
    as zero on termination, not on truncation; the trace e of a finished env starts anew. All weights start at ``value_init``,
    which is then the value of every state, for features phi sum to 1.
    shape: ``(agents, envs, pre)``.
    """

    def __init__(
        self, p: ModulatorConfig, shape: tuple[int, int, int], device: torch.device, dtype: torch.dtype
    ) -> None:
        self.p = p
        self.weight = torch.full((shape[0], shape[2]), p.value_init, device=device, dtype=dtype)
        self.trace = torch.zeros(shape, device=device, dtype=dtype)

    def value(self, features: Tensor) -> Tensor:
        return torch.linalg.vecdot(features, self.weight[:, None])

    def __call__(self, step: Step) -> Tensor:
        now, following = self.value(step.features), self.value(step.next_features)
        delta = step.taken(td_error(step.reward, step.terminated, now, following, self.p))
        decay = self.p.gamma * self.p.lambda_
        again = decay * torch.linalg.vecdot(self.trace, step.features)
        power = torch.linalg.vecdot(step.features, step.features).clamp_(min=1e-9)
        mark = (1.0 - marked_share(again, self.p.critic_lr)) / power
        self.trace.copy_(critic_trace_step(self.trace, step.features, decay, mark[..., None]))
        update = (delta[:, None] @ self.trace)[:, 0]
        self.weight.add_(update, alpha=self.p.critic_lr / delta.shape[1])
        return delta

    def reset(self, done: Tensor) -> None:
        self.trace[done] = 0.0

    def tensors(self) -> dict[str, Tensor]:
        return {"critic.weight": self.weight, "critic.trace": self.trace}

    def learnt(self) -> dict[str, Tensor]:
        return {"critic.weight": self.weight}


def build_modulator(
    name: str, p: ModulatorConfig, shape: tuple[int, int, int], device: torch.device, dtype: torch.dtype
) -> Modulator:
    """The modulator that the configuration names, for features of ``shape (agents, envs, pre)``."""
    if plugins.is_plugin(name):
        return plugins.build("--modulator", name, Modulator, p, shape, device, dtype)
    if name == "td":
        return TDError(p, shape, device, dtype)
    tau = p.tau_baseline if name == "reward-baseline" else float("inf")
    return RewardMinusBaseline(p, tau, shape[0], device, dtype)


def modulator_constants(modulator: Modulator, p: ModulatorConfig, ticks: int, dt: float) -> ModulatorConstants:
    """Constants of a modulator, for env steps of so many ticks of ``dt`` ms."""
    share = modulator.share if isinstance(modulator, RewardMinusBaseline) else 0.0
    trace_decay = p.gamma * p.lambda_
    return ModulatorConstants(
        p.reward_scale, p.gamma, trace_decay, p.critic_lr, p.gain == "adaptive", 1.0 / p.tau_gain, p.deadband,
        dopamine_share(p.tau_dopamine, ticks * dt), p.dopamine_neurons * ticks,
        p.dopamine_hz * dt / 1000.0, p.novelty, share,
    )  # fmt: skip
