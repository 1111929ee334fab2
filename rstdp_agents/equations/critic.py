"""From rewards to the modulator: the error of a linear critic and how it learns, or reward against its running mean."""

from __future__ import annotations

from math import inf
from typing import Protocol

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, clip, lerp, like, sqrt, where


class Rewards(Protocol):
    """What the modulator's equations read of a configuration."""

    @property
    def reward_scale(self) -> float:
        """Factor on every reward."""
        ...

    @property
    def novelty(self) -> float:
        """Reward for a state that is altogether new, in units of the modulator."""
        ...

    @property
    def gamma(self) -> float:
        """Discount per env step."""
        ...

    @property
    def deadband(self) -> float:
        """Modulators smaller than this are none to the synapses of the agent."""
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
def marked_share(trace: Value, critic_lr: Value) -> Value:
    """Share of a state's features that is not marked again, for it is marked already.

        share = critic_lr gamma lambda e . phi, within 0 and 1

    trace: gamma lambda e . phi. After the dutch traces of van Seijen and others (2016).
    """
    return clip(critic_lr * trace, 0.0, 1.0)


@equation
def critic_trace_step(trace: Value, features: Value, decay: Value, mark: Value) -> Value:
    """Trace of a weight of the critic after a state.

        e <- gamma lambda e + (1 - share) phi / |phi|^2

    decay: gamma lambda. mark: (1 - share) / |phi|^2, with the share of `marked_share`; |phi|^2 is the sum of squares of the
    features, so that a weight step of critic_lr delta e removes the share critic_lr of an error, however many features there are.
    """
    return trace * decay + mark * features


@equation
def critic_step(weight: Value, trace: Value, share: Value) -> Value:
    """Weight of the critic after an error delta.

        w <- w + critic_lr delta e

    share: critic_lr delta, over the number of envs, each of which takes a step. trace: e, of the shape of the weight.
    After Sutton and Barto (2018), section 12.2.
    """
    return weight + share * trace


@equation
def moment_step(moment: Value, power: Value, share: Value) -> Value:
    """Running mean of a power of the errors.

        M_k <- M_k + (delta^k - M_k) / tau_gain

    power: delta^k. share: 1 / tau_gain, or one over the number of errors so far if that is more. All of one shape.
    """
    return lerp(moment, power, share)


@equation
def in_own_units(delta: Value, second: Value, fourth: Value) -> Value:
    """An error in units of the size that errors have when they matter; 0 as long as there have been none.

        m = delta / sqrt(M_4 / M_2)

    second, fourth: running means of delta^2 and delta^4, the error itself included, so that |m| stays within about 1 when an
    error comes that is far larger than all before. A mean of delta^4 over one of delta^2 is the mean of delta^2 weighted by
    delta^2: the many small errors of a nearly correct critic do not count.
    """
    return delta * sqrt(second / clip(fourth, 1e-300, inf))


FAINT = 1e-12
"""Unit of errors before there have been any: what novelty alone has taught is nothing beside the first reward, of any scale."""


@equation
def own_unit(second: Value, fourth: Value) -> Value:
    """Size that errors have when they matter, the divisor of `in_own_units`.

        unit = sqrt(M_4 / M_2)

    `FAINT` as long as there have been no errors.
    """
    return where(second > 0.0, sqrt(fourth / clip(second, 1e-300, inf)), FAINT)


@equation
def novelty(visits: Value) -> Value:
    """How new the activity of an input is that has been active before.

        new = 1 / sqrt(1 + n)

    visits: n, in units of its strongest activity. After the bonus of Strehl and Littman (2008).
    """
    one = like(1.0, visits)
    return one / sqrt(one + visits)


@equation
def reward_with_novelty(reward: Value, new: Value, unit: Value, p: Rewards) -> Value:
    """Reward and what the novelty of the next state adds to it.

        reward + novelty unit new

    new: from 0 to 1, 0 where the episode ended. unit: of `own_unit`, which is in scaled rewards, so that novelty weighs as much
    whatever the scale of rewards. All of one shape.
    """
    return reward + p.novelty * unit / p.reward_scale * new


@equation
def beyond_deadband(delta: Value, p: Rewards) -> Value:
    """Modulator of an error: ``delta`` if it is not smaller than the deadband, else 0."""
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
