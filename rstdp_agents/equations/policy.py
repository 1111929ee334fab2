"""How an action credits the neurons that stand for it: the gate of a softmax, and that of a population vector.

Continuous actions are in units of half their range: neurons prefer values from -1 to 1.
"""

from __future__ import annotations

import math

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, clip, cos, log1p, sqrt


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
def preferred_value(i: Value, n: int) -> Value:
    """Value that neuron ``i`` of ``n`` stands for, evenly from -1 to 1: 2 i / (n - 1) - 1."""
    return i * (2.0 / (n - 1)) - 1.0


@equation
def vector_action(mean: Value, epsilon: Value, exploration: float, low: Value, high: Value) -> Value:
    """Action that is tried around the population vector, in the units of the action, between its bounds.

        action = mu + exploration epsilon, within -1 and 1, then stretched to low and high

    All of one shape.
    """
    tried = clip(mean + exploration * epsilon, -1.0, 1.0)
    return 0.5 * (low + high) + 0.5 * (high - low) * tried


@equation
def standard_normal(u: Value, v: Value) -> Value:
    """A standard normal number from two uniform draws in [0, 1).

        epsilon = sqrt(-2 log(1 - u)) cos(2 pi v)

    After Box and Muller (1958).
    """
    return sqrt(-2.0 * log1p(-u)) * cos(2.0 * math.pi * v)
