"""The third factor: from a transition to the modulator m of every agent and env."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Step(NamedTuple):
    """What a modulator sees of one env step; all ``(agents, envs)`` but the features."""

    reward: Tensor
    terminated: Tensor
    """1.0 where the episode ended for good: nothing is to be expected beyond."""
    done: Tensor
    """True where the episode ended in either way."""
    features: Tensor
    """Input rates of the state acted in, summing to 1: ``(agents, envs, pre)``."""
    next_features: Tensor
    """The same of the state that came of it (of a truncated episode: its true last state)."""


class Reward:
    """m = reward."""

    def __init__(self, reward_scale: float) -> None:
        self.reward_scale = reward_scale

    def __call__(self, step: Step) -> Tensor:
        return step.reward * self.reward_scale

    def tensors(self) -> dict[str, Tensor]:
        return {}


class RewardMinusBaseline:
    """m = reward - r_bar, with r_bar a running mean of the agent's rewards over ``tau`` env steps."""

    def __init__(self, reward_scale: float, tau: float, agents: int, device: torch.device, dtype: torch.dtype) -> None:
        self.reward_scale, self.rate = reward_scale, 1.0 / tau
        self.r_bar = torch.zeros(agents, 1, device=device, dtype=dtype)

    def __call__(self, step: Step) -> Tensor:
        reward = step.reward * self.reward_scale
        m = reward - self.r_bar
        self.r_bar += self.rate * m.mean(1, keepdim=True)
        return m

    def tensors(self) -> dict[str, Tensor]:
        return {"r_bar": self.r_bar}


class TDError:
    """m = delta = reward + gamma V(next) - V(now), with a critic linear in the input rates learnt by TD(lambda).

    V(s) = w . phi(s);  e <- gamma lambda e + phi;  w <- w + lr mean over envs of delta e. V(next) counts as zero on
    termination, not on truncation; the trace e of a finished env starts anew.
    """

    def __init__(
        self, reward_scale: float, gamma: float, lambda_: float, lr: float, shape: tuple[int, int, int],
        device: torch.device, dtype: torch.dtype,
    ) -> None:  # fmt: skip
        self.reward_scale, self.gamma, self.lambda_, self.lr = reward_scale, gamma, lambda_, lr
        agents, _, features = shape
        self.weight = torch.zeros(agents, features, device=device, dtype=dtype)
        self.trace = torch.zeros(shape, device=device, dtype=dtype)

    def value(self, features: Tensor) -> Tensor:
        """V of ``(agents, envs, pre)`` -> ``(agents, envs)``."""
        return (features @ self.weight[..., None])[..., 0]

    def __call__(self, step: Step) -> Tensor:
        expected = self.gamma * (1 - step.terminated) * self.value(step.next_features)
        delta = step.reward * self.reward_scale + expected - self.value(step.features)
        self.trace.mul_(self.gamma * self.lambda_).add_(step.features)
        share = (delta[:, None] @ self.trace)[:, 0]
        self.weight.add_(share, alpha=self.lr / delta.shape[1])
        if step.done.any():
            self.trace[step.done] = 0.0
        return delta

    def tensors(self) -> dict[str, Tensor]:
        return {"critic_weight": self.weight, "critic_trace": self.trace}
