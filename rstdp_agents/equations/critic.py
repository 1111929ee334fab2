"""From rewards to the modulator: the error of a linear critic and how it learns, or reward against its running mean.

The critic's trace is `traces.trace_step` of its features: e <- gamma lambda e + phi.
"""

from __future__ import annotations

from typing import Protocol

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, where


class Rewards(Protocol):
    """What the modulator's equations read of a configuration."""

    @property
    def reward_scale(self) -> float:
        """Factor on every reward."""
        ...

    @property
    def gamma(self) -> float:
        """Discount per env step."""
        ...

    @property
    def deadband(self) -> float:
        """TD errors smaller than this are none to the synapses of the agent."""
        ...


@equation
def td_error(reward: Value, terminated: Value, value: Value, next_value: Value, p: Rewards) -> Value:
    """Error of what was expected of a state, now that its reward and the next state are known.

        delta = reward + gamma V(next) - V(now)

    V(next) counts as zero where the episode ended for good: terminated is 1 there, else 0. reward is scaled first.
    All of one shape. After Sutton and Barto (2018), section 6.1.
    """
    return reward * p.reward_scale + p.gamma * (1 - terminated) * next_value - value


@equation
def critic_step(weight: Value, trace: Value, share: Value) -> Value:
    """Weight of the critic after an error delta.

        w <- w + critic_lr delta e

    share: critic_lr delta, over the number of envs, each of which takes a step. trace: e, of the shape of the weight.
    After Sutton and Barto (2018), section 12.2.
    """
    return weight + share * trace


@equation
def beyond_deadband(delta: Value, p: Rewards) -> Value:
    """Modulator of an error: ``delta`` where it is not smaller than the deadband, else 0."""
    small = (delta < p.deadband) & (delta > -p.deadband)
    return where(small, 0.0, delta)


@equation
def reward_error(reward: Value, r_bar: Value, p: Rewards) -> Value:
    """Modulator from a reward and its running mean.

        m = reward - r_bar

    reward is scaled first. All of one shape.
    """
    return reward * p.reward_scale - r_bar


@equation
def reward_mean_step(r_bar: Value, m: Value, share: Value) -> Value:
    """Running mean of rewards after a modulator of `reward_error`.

        r_bar <- r_bar + m / tau_baseline

    share: 1 / tau_baseline, per env step.
    """
    return r_bar + share * m
