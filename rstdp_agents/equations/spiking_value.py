"""Values as populations of spiking neurons say them: what drives the neurons, which fire, and how large a value can be."""

from __future__ import annotations

from math import inf

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.ops import Value, clip, where

FAINT = 1e-12
"""Largest value that can be said before there has been any reward."""
START = 0.5005
"""Potential of a relay neuron when a state begins; at one half, round rates would reach the threshold by the last bit or not."""
LOWEST, HIGHEST = -1.0, 2.0
"""Bounds of a critic neuron's potential."""
TAU_CALCIUM = 200.0
"""Of the trace that a critic neuron keeps of its own spikes (ms), as of calcium."""
ENOUGH_CALCIUM = 0.1
"""With less of it, in units of what a spike brings, no synapse of the neuron learns: it has not fired for 460 ms."""
ROOM = 1.5
"""Largest value that can be said without silencing a population, in units of the size that is needed."""
LEAST = 1e-9
"""Divisors are no smaller."""
FEWEST_SPIKES = 3
"""Of a population in a window without input; with 1.5, what values are rounded to would make `reach` grow by itself."""
MARGIN = 1e-4
"""By how much less than a whole spike a population has to owe for it: so that sums which round differently say the same."""


@equation
def relay_tick(v: Value, p: Value) -> tuple[Value, Value]:
    """One tick of a relay neuron, which integrates perfectly and fires at regular intervals.

        v <- v + p
        spike = v >= 1, v <- v - spike

    v: its potential, `START` when a state begins. p: spikes per tick. All of one shape. Returns spike (a mask) and v.
    """
    v = v + p
    spike = v >= 1.0
    return spike, where(spike, v - 1.0, v)


@equation
def critic_tick(v: Value, current: Value, spikes: Value, tonic: Value, reach: Value) -> Value:
    """Potential of a neuron of the critic after a tick, before it fires; it integrates perfectly, and a spike takes 1 away.

        v <- v + tonic (1 + I / (S reach)), within `LOWEST` and `HIGHEST`

    current: I, the weights (in units of value) of the inputs that fire, added up. spikes: S, of all inputs, per tick of the
    window, the mean that feed-forward inhibition settles at and divides by. tonic: spikes per tick without input. reach: of
    `reach_step`.
    """
    return clip(v + tonic * (1.0 + current / (spikes * reach)), LOWEST, HIGHEST)


@equation
def calcium_gate(calcium: Value) -> Value:
    """Whether synapses of a critic neuron can become eligible; a mask of the shape of ``calcium``.

        gate = c >= ENOUGH_CALCIUM

    calcium: c, a trace of the neuron's own spikes that lasts `TAU_CALCIUM`. A gate, and no factor: if neurons that fire more also
    learnt more, they would soon do all of it, with weights without limit of either sign.
    """
    return calcium >= ENOUGH_CALCIUM


@equation
def critic_bounds(balance: Value, inhibitory: bool) -> tuple[Value, Value]:
    """Bounds of what a synapse of the critic has learnt, under Dale's law.

        balance + w >= 0 if its input excites, -balance + w <= 0 if it inhibits

    balance: the largest reach so far. Before learning, what excites and what inhibits a neuron is balanced: the two copies of an
    input fire alike, their synapses are balance and -balance, and of both together what was learnt is left, w. Returns the lower
    and the upper bound.
    """
    return -inf if inhibitory else -balance, balance if inhibitory else inf


@equation
def value_of_rates(plus: Value, minus: Value, tonic: Value, reach: Value) -> Value:
    """Value that two populations say in a window.

        V = reach (plus - minus) / (2 tonic)

    plus, minus: spikes per neuron and tick of either. tonic, reach: as of `critic_tick`, of which this is the inverse: weights of
    V and -V say V.
    """
    return reach * (plus - minus) / (2.0 * tonic)


@equation
def value_after_error(value: Value, asked: Value, asks: Value) -> Value:
    """Value of the state that an error has led to, once the error has changed the synapses that are active in it.

        V <- V + asks - asked

    asked: what the weights of the inputs that fire asked for before, half the difference of their means over the spikes and
    neurons of either population. asks: what they ask for now. Currents change with the synapses they flow through, and the
    window is not said anew for it: what is rounded stays as it was. All of one shape.
    """
    return value + asks - asked


@equation
def value_needed(recent: Value, value: Value, value_init: Value) -> Value:
    """Size of the values that an env asks for, from the initial one.

        needed = max(|R|, |V - value_init|, |value_init|)

    recent: R <- gamma R + reward, of the episode so far. value: V, as it was said of the next state. All of one shape.
    """
    needed = abs(value - value_init)
    needed = where(abs(recent) > needed, abs(recent), needed)
    return where(needed > abs(value_init), needed, abs(value_init))


@equation
def reach_step(reach: Value, needed: Value, keep: Value) -> Value:
    """Largest value, from the initial one, that can be said without silencing a population: more than was needed of late.

        reach <- max(exp(-1 / tau_reach) reach, ROOM needed)

    needed: the largest `value_needed`. keep: exp(-1 / tau_reach), per env step. It is `FAINT` at least.
    """
    size = ROOM * needed
    left = clip(keep * reach, FAINT, inf)
    return where(size > left, size, left)
