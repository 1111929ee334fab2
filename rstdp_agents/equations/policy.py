"""How an action credits the neurons that stand for it, and how random actions are: of a softmax, and of a population vector.

Continuous actions are in units of half their range: neurons prefer values from -1 to 1.
"""

from __future__ import annotations

import math

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, clip, cos, exp, log1p, sqrt

BLUNTEST, SHARPEST = -1.0, 3.0
"""Bounds of sharpness, the logarithm of how much less random actions are than they were at the start."""


@equation
def softmax_gate(chosen: Value, probability: Value) -> Value:
    """Gate of the spike pairs of an action's neurons: the gradient of the log of a softmax policy by their drive.

        gate = 1[a] - pi(a)

    chosen: 1 for the action taken, 0 for the others. After Williams (1992).
    """
    return chosen - probability


@equation
def vector_gate(epsilon: Value, preferred: Value, mean: Value) -> Value:
    """Gate of the spike pairs of a neuron of a population vector: how far its spikes pull towards what was tried.

        gate = epsilon (p - mu)

    epsilon: the noise that was tried, standard normal. preferred: p, the neuron's value. mean: mu, the population vector.
    After Williams (1992), for a normal policy, up to a factor that all neurons share.
    """
    return epsilon * (preferred - mean)


@equation
def softmax_score(rate: Value, sharpness: Value, inverse_temperature: Value) -> Value:
    """What a softmax compares: the mean rate of an action's neurons, times an inverse temperature that is learnt.

        score = inverse_temperature exp(s) rate

    sharpness: s.
    """
    return inverse_temperature * exp(sharpness) * rate


@equation
def noise(sharpness: Value, exploration: Value) -> Value:
    """Standard deviation of the noise on a continuous action, which is learnt, in units of half its range.

        sigma = exploration exp(-s)

    sharpness: s.
    """
    return exploration * exp(-sharpness)


@equation
def softmax_push(score: Value, mean_score: Value) -> Value:
    """How much more probable the chosen action would have been, had the policy been sharper: the gradient of log pi by s.

        push = score[a] - sum pi score

    score: of `softmax_score`, of the action chosen. After Williams (1992).
    """
    return score - mean_score


@equation
def vector_push(epsilon: Value) -> Value:
    """The same of a continuous action: the gradient of the log of a normal density by s, over its Fisher information.

        push = (1 - epsilon^2) / 2

    epsilon: the noise that was tried, standard normal. After Williams (1992).
    """
    return 0.5 - 0.5 * epsilon * epsilon


@equation
def sharpness_step(sharpness: Value, m: Value, trace: Value, lr: Value) -> Value:
    """Sharpness after a modulator m.

        s <- s + lr m k, within -1 and 3

    lr: `temperature_lr` of a choice, `exploration_lr` of a continuous action. trace: k, the pushes of the steps before, each
    weaker by gamma lambda a step. The step is small and adds up over thousands of env steps: m k is mostly noise.
    """
    return clip(sharpness + lr * m * trace, BLUNTEST, SHARPEST)


@equation
def preferred_value(i: Value, n: int) -> Value:
    """Value that neuron ``i`` of ``n`` stands for, evenly from -1 to 1: 2 i / (n - 1) - 1."""
    return i * (2.0 / (n - 1)) - 1.0


@equation
def vector_action(mean: Value, epsilon: Value, width: Value, low: Value, high: Value) -> Value:
    """Action that is tried around the population vector, in the units of the action, between its bounds.

        action = mu + sigma epsilon, within -1 and 1, then stretched to low and high

    width: sigma, of `noise`. All of one shape.
    """
    tried = clip(mean + width * epsilon, -1.0, 1.0)
    return 0.5 * (low + high) + 0.5 * (high - low) * tried


@equation
def standard_normal(u: Value, v: Value) -> Value:
    """A standard normal number from two uniform draws in [0, 1).

        epsilon = sqrt(-2 log(1 - u)) cos(2 pi v)

    After Box and Muller (1958).
    """
    return sqrt(-2.0 * log1p(-u)) * cos(2.0 * math.pi * v)
