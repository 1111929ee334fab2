"""One pass over the synapses: what was eligible is learnt, and what the weights then are drives the window.

Both the eligibility and the current are sums over input spikes, so that the arrays of synapses run along the output neurons,
and one row of them belongs to one input.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from rstdp_agents.base.compiled import FAST, entry, jit
from rstdp_agents.equations.lanes import WIDTH, load, lowest_bit, splat, store, total
from rstdp_agents.equations.three_factor import weight_step
from rstdp_agents.equations.traces import trace_step


@jit(inline="always")
def next_tick(left, ticks):
    """The first tick of the bits ``left``, ``ticks`` if there is none; and the bits without it."""
    return min(lowest_bit(left), ticks), left & (left - uint64(1))


@jit(fastmath=FAST, inline="always")
def with_pair(z, row, credit, first, padded, one, two, keep, o):
    """Eligibility after its decay and the spikes of ticks ``one`` and ``two``, for sixteen outputs from ``o``."""
    return trace_step(
        load(z, row + o), load(credit, first + one * padded + o) + load(credit, first + two * padded + o), keep
    )


@jit(fastmath=FAST, inline="always")
def accumulate_pairs(z, row, credit, first, padded, left, ticks, keep, begin, end):
    """`plasticity.window.pair_window` of one input and the outputs from ``begin`` to ``end``, all but the last step of it.

    z decays, and gains what the spikes have earned of which bits ``left`` tell. They are taken in pairs, the second perhaps of
    tick T that earned nothing: a branch that is guessed wrong costs more. Returns what is left to do: the last pair, and the
    decay if it is still due.
    """
    one, left = next_tick(left, ticks)
    two, left = next_tick(left, ticks)
    while left:
        for o in range(begin, end, WIDTH):
            store(z, row + o, with_pair(z, row, credit, first, padded, one, two, keep, o))
        keep = splat(1.0)
        one, left = next_tick(left, ticks)
        two, left = next_tick(left, ticks)
    return one, two, keep


@jit(fastmath=FAST, inline="always")
def drive(weight, row, current, first, padded, left, ticks, begin, end):
    """`synapses.Linear.current` of one input: its weights are added to the current of each tick in which it fires."""
    while left:
        one, left = next_tick(left, ticks)
        two, left = next_tick(left, ticks)
        for o in range(begin, end, WIDTH):
            value, here, there = load(weight, row + o), first + one * padded + o, first + two * padded + o
            store(current, here, load(current, here) + value)
            store(current, there, load(current, there) + value)


@jit(fastmath=FAST, forceinline=True)
def drive_listed(s, a, begin, end, current):
    """`drive` by the active inputs of agent a, in their order, for its output neurons from ``begin`` to ``end``."""
    padded, ticks = s.weight.shape[2], current.shape[1] - 1
    weight, currents, plane = s.weight[a].reshape(-1), current.reshape(-1), (ticks + 1) * padded
    for e in range(current.shape[0]):
        for j in range(s.many[a, 0, e]):
            i = s.index[a, 0, e, j]
            drive(weight, np.int64(i) * padded, currents, e * plane, padded, s.bits[a, 0, e, i], ticks, begin, end)


@jit(fastmath=FAST, forceinline=True)
def learn_and_drive(s, a, begin, end, learning, done, shares, current, c):
    """The pass for agent a and its output neurons from ``begin`` to ``end``.

    done ``(E,)``. shares ``(K E,)``: what each eligibility is multiplied with. current ``(E, T + 1, P)``, added to by all inputs
    of a dense code; `drive_listed` is left to do for others. Only what is listed (`live`) has anything to learn. Returns the
    sum of squares of the update.
    """
    inputs, padded = s.weight.shape[1:]
    terms, envs, ticks = s.terms.shape[0], current.shape[0], current.shape[1] - 1
    pending, all_bits = s.counters[a, 2] > 0, envs * inputs
    weight, z, credit = s.weight[a].reshape(-1), s.z[a].reshape(-1), s.credit[a].reshape(-1)
    currents = current.reshape(-1)
    bits, change, plane = s.bits[a].reshape(-1), np.empty(padded, np.float32), (ticks + 1) * padded
    decay = splat(c.rule.decay_z)
    square, last = splat(0.0), terms * envs - 1
    for r in range(s.rows[a] if learning or s.dense else 0):
        i = np.int64(s.live[a, r])
        row = i * padded
        for p in range(last + 1 if learning and s.age[a, i] > 0 else 0):
            e, z_row, first = p % envs, (p * inputs + i) * padded, p * plane
            fired = bits[all_bits + e * inputs + i] if pending else uint64(0)
            keep = decay if pending else splat(1.0)
            one, two, keep = accumulate_pairs(z, z_row, credit, first, padded, fired, ticks, keep, begin, end)
            share, alive = shares[p], 0.0 if done[e] else 1.0
            for o in range(begin, end, WIDTH):
                eligible = with_pair(z, z_row, credit, first, padded, one, two, keep, o)
                store(z, z_row + o, eligible * alive)
                update = eligible * share
                if p > 0:
                    update = update + load(change, o)
                if p < last:
                    store(change, o, update)
                else:
                    square = square + update * update
                    store(weight, row + o, weight_step(load(weight, row + o), update, c.w_min, c.w_max))
        for e in range(envs if s.dense else 0):
            drive(weight, row, currents, e * plane, padded, bits[e * inputs + i], ticks, begin, end)
    return total(square)


@jit(fastmath=FAST, forceinline=True)
def modulate_credit(credit, shares):
    """Multiply ``credit (K E, T + 1, P)`` by the shares of `learn_and_drive`, in place."""
    for p in range(credit.shape[0]):
        flat, share = credit[p].reshape(-1), shares[p]
        for o in range(0, flat.shape[0], WIDTH):
            store(flat, o, load(flat, o) * share)


@jit(fastmath=FAST, forceinline=True)
def find_earned(bits, i, inputs, terms, ticks, padded, rows):
    """Where in ``credit`` lies what the last window's spikes of input i have earned, in each term and env; returns how many.

    bits: of the last window, ``(E I,)``. rows: an even number is filled, with a place of nothing at the end if need be.
    """
    many, plane, envs = 0, (ticks + 1) * padded, bits.shape[0] // inputs
    for p in range(terms * envs):
        left = bits[p % envs * inputs + i]
        while left:
            tick, left = next_tick(left, ticks)
            rows[many] = p * plane + tick * padded
            many += 1
    rows[many] = ticks * padded
    return many + many % 2


@jit(fastmath=FAST, forceinline=True)
def learn_last_and_drive(s, a, begin, end, learning, current, c):
    """`learn_and_drive` where eligibility lasts for one window: `plasticity.last_window`, and z is nowhere.

    What was earned has been multiplied with the modulator. An input that did not fire has nothing to learn.
    """
    inputs, padded = s.weight.shape[1:]
    terms, envs, ticks = s.terms.shape[0], current.shape[0], current.shape[1] - 1
    weight, credit, currents = s.weight[a].reshape(-1), s.credit[a].reshape(-1), current.reshape(-1)
    bits, before, plane = s.bits[a, 0].reshape(-1), s.bits[a, -1].reshape(-1), (ticks + 1) * padded
    rows, square = np.empty(terms * envs * ticks + 1, np.int64), splat(0.0)
    for r in range(s.rows[a] if learning or s.dense else 0):
        i = np.int64(s.live[a, r])
        row = i * padded
        many = find_earned(before, i, inputs, terms, ticks, padded, rows) if learning else 0
        for o in range(begin, end if many else begin, WIDTH):
            update = splat(0.0)
            for j in range(0, many, 2):
                update = update + (load(credit, rows[j] + o) + load(credit, rows[j + 1] + o))
            square = square + update * update
            store(weight, row + o, weight_step(load(weight, row + o), update, c.w_min, c.w_max))
        for e in range(envs if s.dense else 0):
            drive(weight, row, currents, e * plane, padded, bits[e * inputs + i], ticks, begin, end)
    return total(square)


@entry(fastmath=FAST)
def write_eligibility(s):
    """Write the eligibility that waits for the next pass, so that z is what the torch path would show, for others to change."""
    terms, envs, inputs, padded = s.z.shape[1:]
    ticks = s.credit.shape[3] - 1
    for a in range(s.z.shape[0]):
        decay = splat(s.constants[a].rule.decay_z)
        z, credit, plane = s.z[a].reshape(-1), s.credit[a].reshape(-1), (ticks + 1) * padded
        for p in range(terms * envs if s.counters[a, 2] else 0):
            for i in range(inputs):
                row, fired = (p * inputs + i) * padded, s.bits[a, 0, p % envs, i]
                one, two, keep = accumulate_pairs(z, row, credit, p * plane, padded, fired, ticks, decay, 0, padded)
                for o in range(0, padded, WIDTH):
                    store(z, row + o, with_pair(z, row, credit, p * plane, padded, one, two, keep, o))
        s.counters[a, 2] = 0
