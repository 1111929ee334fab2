"""What the input spikes of a window do at synapses: with output spikes they make them eligible, and they drive neurons.

Both are sums over input spikes, so that the arrays of synapses run along the output neurons, and one row of them belongs to one
input.
"""

from __future__ import annotations

import numpy as np

from rstdp_agents.agent.fused.memory import flat
from rstdp_agents.agent.fused.words import BITS, next_tick
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.equations.lanes import WIDTH, load, splat, store
from rstdp_agents.equations.three_factor import gap_factor
from rstdp_agents.equations.traces import trace_step


@jit(fastmath=FAST, forceinline=True)
def earned_twice(causal, first, padded, bits, at, words, trace, ticks, decay, o):
    """What is too much where an input spike sets its trace to 1 and does not add to it, for sixteen outputs from ``o``.

    It adds 1 less what is left of the trace, so that much less pairs with later output spikes. causal, first: its credit of tick
    0 lies there. bits, at: the ``words`` of the input's spikes lie there. trace: its own, before the window.
    """
    found, last = splat(0.0), np.int64(-1)
    for w in range(words):
        fired = bits[at + w]
        while fired:
            tick, fired = next_tick(fired, BITS * w, ticks)
            left = trace * decay ** np.float64(tick - last)
            found = found + load(causal, first + tick * padded + o) * left
            trace, last = np.float32(1.0), tick
    return found


@jit(fastmath=FAST, forceinline=True)
def earned_besides(layer, a, weight, place, bits, at, trace, ticks, o, c):
    """What a window has earned beside its input spikes' credit, for sixteen outputs from ``o``: by traces from before it, less by
    spikes that set theirs, and more or less by the size of weights.

    weight: of the synapses. place: of term, env and site in ``credit``, flat. bits, at, trace: as in `earned_twice`.
    """
    padded, causal, besides = layer.weight.shape[2], flat(layer.causal[a]), splat(0.0)
    first = place * (ticks + 1) * padded
    if trace > 0.0:
        besides = load(flat(layer.lingering[a]), place * padded + o) * trace
    if layer.nearest:
        besides = besides - earned_twice(
            layer.causal[a], first, padded, bits, at, layer.words, trace, ticks, c.rule.decay_x, o
        )
    if layer.weighs:
        credit, before, both = flat(layer.credit[a]), splat(0.0), splat(0.0)
        for w in range(layer.words):
            fired = bits[at + w]
            while fired:
                tick, fired = next_tick(fired, BITS * w, ticks)
                both = both + load(credit, first + tick * padded + o)
                before = before + load(causal, first + tick * padded + o)
        span = np.float32(c.w_max - c.w_min)
        plus = gap_factor(np.float32(c.w_max) - weight, span, np.float32(c.rule.mu_plus))
        minus = gap_factor(weight - np.float32(c.w_min), span, np.float32(c.rule.mu_minus))
        besides = (before + besides) * plus + (both - before) * minus - both
    return besides


@jit(fastmath=FAST, forceinline=True)
def with_pair(z, row, credit, first, padded, one, two, keep, o):
    """Eligibility after its decay and the spikes of ticks ``one`` and ``two``, for sixteen outputs from ``o``."""
    return trace_step(
        load(z, row + o), load(credit, first + one * padded + o) + load(credit, first + two * padded + o), keep
    )


@jit(fastmath=FAST, forceinline=True)
def accumulate_pairs(z, row, credit, first, padded, left, since, ticks, keep, begin, end):
    """`plasticity.window.pair_window` of one input and the outputs from ``begin`` to ``end``, all but the last step of it.

    z decays, and gains what the spikes have earned of which the bits ``left`` of a word tell, from tick ``since``. They are taken
    in pairs, the second perhaps of tick T that earned nothing: a branch that is guessed wrong costs more. Returns what is left to
    do: the last pair, and the decay if it is still due.
    """
    one, left = next_tick(left, since, ticks)
    two, left = next_tick(left, since, ticks)
    while left:
        for o in range(begin, end, WIDTH):
            store(z, row + o, with_pair(z, row, credit, first, padded, one, two, keep, o))
        keep = splat(1.0)
        one, left = next_tick(left, since, ticks)
        two, left = next_tick(left, since, ticks)
    return one, two, keep


@jit(fastmath=FAST)
def accumulate_words(z, row, credit, first, padded, bits, at, words, ticks, keep, begin, end):
    """`accumulate_pairs` of all words of an input but the last, with nothing left to do; returns the decay if it is still due."""
    for w in range(words - 1):
        one, two, left = accumulate_pairs(
            z, row, credit, first, padded, bits[at + w], BITS * w, ticks, keep, begin, end
        )
        for o in range(begin, end, WIDTH):
            store(z, row + o, with_pair(z, row, credit, first, padded, one, two, left, o))
        keep = splat(1.0)
    return keep


@jit(fastmath=FAST, forceinline=True)
def earn(layer, a, z, row, place, bits, at, trace, keep, begin, end, c):
    """Add to the eligibility of a row of agent a, after its decay, what a window has earned at a site.

    z: of the agent, flat; row: where in it. place: of term, env and site in ``credit`` and ``lingering``, flat. bits, at, trace:
    of the input behind the row, as in `earned_twice`. keep: what is left of its eligibility. begin, end: output neurons.
    """
    (planes, padded), credit, weight = layer.credit.shape[4:], flat(layer.credit[a]), flat(layer.weight[a])
    ticks, first, words = planes - 1, place * planes * padded, layer.words
    if layer.words > 1:
        keep = accumulate_words(z, row, credit, first, padded, bits, at, words, ticks, keep, begin, end)
    fired, since = bits[at + words - 1], BITS * (words - 1)
    one, two, left = accumulate_pairs(z, row, credit, first, padded, fired, since, ticks, keep, begin, end)
    for o in range(begin, end, WIDTH):
        eligible = with_pair(z, row, credit, first, padded, one, two, left, o)
        if trace > 0.0 or layer.nearest or layer.weighs:
            own = load(weight, row % weight.shape[0] + o)
            eligible = eligible + earned_besides(layer, a, own, place, bits, at, trace, ticks, o, c)
        store(z, row + o, eligible)


@jit(fastmath=FAST, forceinline=True)
def drive(weight, row, current, first, padded, bits, at, words, ticks, begin, end):
    """`synapses.Linear.current` of one input: its weights are added to the current of each tick in which it fires."""
    for w in range(words):
        left = bits[at + w]
        while left:
            one, left = next_tick(left, BITS * w, ticks)
            two, left = next_tick(left, BITS * w, ticks)
            for o in range(begin, end, WIDTH):
                value, here, there = load(weight, row + o), first + one * padded + o, first + two * padded + o
                store(current, here, load(current, here) + value)
                store(current, there, load(current, there) + value)


@jit()
def behind(source, i, site):
    """The input behind row i of a layer at a site; source: of `state.LAYER_FIELDS`."""
    return np.int64(source[i, site]) if source.shape[0] > 0 else i
