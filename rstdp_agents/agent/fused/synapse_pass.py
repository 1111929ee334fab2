"""One pass over the synapses: what was eligible is learnt, and what the weights then are drives the window.

Both the eligibility and the current are sums over input spikes, so that the arrays of synapses run along the output neurons,
and one row of them belongs to one input.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from rstdp_agents.agent.fused.lazy_rows import bounds_of, newest, owe, period, queued, waited, waiting
from rstdp_agents.agent.statistics import EVERY
from rstdp_agents.base.compiled import FAST, jit
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

    Of a dense code: all inputs. done ``(E,)``. shares ``(K E,)``: what each eligibility is multiplied with. current
    ``(E, T + 1, P)``, added to. Returns the sum of squares of the update.
    """
    inputs, padded = s.weight.shape[1:]
    terms, envs, ticks = s.terms.shape[0], current.shape[0], current.shape[1] - 1
    pending, all_bits = s.counters[a, 2] > 0, envs * inputs
    weight, z, credit = s.weight[a].reshape(-1), s.z[a].reshape(-1), s.credit[a].reshape(-1)
    currents, lingering = current.reshape(-1), s.lingering[a].reshape(-1)
    bits, change, plane = s.bits[a].reshape(-1), np.empty(padded, np.float32), (ticks + 1) * padded
    decay = splat(c.rule.decay_z)
    square, last, age = splat(0.0), terms * envs - 1, s.age[a]
    for i in range(inputs):
        row, (low, high) = i * padded, bounds_of(i, c)
        for p in range(last + 1 if learning and age[i] > 0 else 0):
            e, z_row, first = p % envs, (p * inputs + i) * padded, p * plane
            fired = bits[all_bits + e * inputs + i] if pending else uint64(0)
            keep = decay if pending else splat(1.0)
            one, two, keep = accumulate_pairs(z, z_row, credit, first, padded, fired, ticks, keep, begin, end)
            share, alive, trace = (
                shares[p],
                0.0 if done[e] else 1.0,
                trace_before(s, a, e, i) if pending else np.float32(0.0),
            )
            for o in range(begin, end, WIDTH):
                eligible = with_pair(z, z_row, credit, first, padded, one, two, keep, o)
                if trace > 0.0:
                    eligible = eligible + load(lingering, p * padded + o) * trace
                store(z, z_row + o, eligible * alive)
                update = eligible * share
                if p > 0:
                    update = update + load(change, o)
                if p < last:
                    store(change, o, update)
                else:
                    square = square + update * update
                    store(weight, row + o, weight_step(load(weight, row + o), update, low, high))
        for e in range(envs):
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
def learn_last(s, a, i, begin, end, earned, c):
    """What input i of agent a learns of the last window, if eligibility lasts for no longer: `plasticity.last_window`.

    What was earned has been multiplied with the modulator. earned: for `find_earned` to write to. Returns the sum of squares
    of the update, in lanes.
    """
    inputs, padded = s.weight.shape[1:]
    ticks, square, (low, high) = s.credit.shape[3] - 1, splat(0.0), bounds_of(i, c)
    weight, credit = s.weight[a].reshape(-1), s.credit[a].reshape(-1)
    many = find_earned(s.bits[a, -1].reshape(-1), i, inputs, s.credit.shape[1], ticks, padded, earned)
    for o in range(begin, end if many else begin, WIDTH):
        update, row = splat(0.0), i * padded + o
        for j in range(0, many, 2):
            update = update + (load(credit, earned[j] + o) + load(credit, earned[j + 1] + o))
        square = square + update * update
        store(weight, row, weight_step(load(weight, row), update, low, high))
    return square


@jit(fastmath=FAST, forceinline=True)
def learn_last_and_drive(s, a, begin, end, learning, current, c):
    """`learn_and_drive` where eligibility lasts for one window, and z is nowhere."""
    inputs, padded = s.weight.shape[1:]
    envs, ticks, square = current.shape[0], current.shape[1] - 1, splat(0.0)
    weight, currents, bits = s.weight[a].reshape(-1), current.reshape(-1), s.bits[a, 0].reshape(-1)
    earned = np.empty(s.terms.shape[0] * envs * ticks + 1, np.int64)
    for i in range(inputs):
        if learning:
            square = square + learn_last(s, a, i, begin, end, earned, c)
        for e in range(envs):
            plane = e * (ticks + 1) * padded
            drive(weight, i * padded, currents, plane, padded, bits[e * inputs + i], ticks, begin, end)
    return total(square)


@jit(forceinline=True)
def trace_before(s, a, e, i):
    """Presynaptic trace of input i in env e before the last window; 0 where traces do not go on."""
    return s.x[a, 0, e, i] if s.carries else np.float32(0.0)


@jit(fastmath=FAST, forceinline=True)
def earn(s, a, r, c):
    """Write the eligibility that the last window has earned, so that z is what the torch path would show. r: `lazy_rows.Rows`."""
    if s.counters[a, 2] == 0 or r.z.shape[0] == 0:
        return
    dense, inputs = s.dense, r.touched.shape[0]
    credit, lingering = s.credit[a].reshape(-1), s.lingering[a].reshape(-1)
    ticks, envs, pairs = s.credit.shape[3] - 1, s.credit.shape[2], r.owed.shape[0]
    keep, plane = splat(c.rule.decay_z if dense else 1.0), (ticks + 1) * r.padded
    begin, end = (0, inputs) if dense else newest(r)
    for place in range(begin, end):
        i = place if dense else queued(r, place)
        for p in range(pairs):
            fired, row, trace = r.bits[p % envs, i], (p * inputs + i) * r.padded, trace_before(s, a, p % envs, i)
            if fired == 0 and trace == 0.0 and not dense:
                continue
            one, two, left = accumulate_pairs(r.z, row, credit, p * plane, r.padded, fired, ticks, keep, 0, r.padded)
            for o in range(0, r.padded, WIDTH):
                eligible = with_pair(r.z, row, credit, p * plane, r.padded, one, two, left, o)
                store(r.z, row + o, eligible + load(lingering, p * r.padded + o) * trace if trace > 0.0 else eligible)
    s.counters[a, 2] = 0


@jit(fastmath=FAST, forceinline=True)
def learn_listed(s, a, r, shares, c):
    """Agent a, of a sparse code, learns of its last window: what its rows are owed grows.

    r: its `lazy_rows.Rows`. shares as in `learn_and_drive`. Returns the sum of squares of the update; where rows wait, of
    every tenth, ten times.
    """
    slots, slot, square = period(c), r.queued[2], 0.0
    for e in range(r.trace.shape[0]):
        owe(r.owed_by_critic[e], r.fade[1], s.felt[a, e], slot, slots)
    if r.z.shape[0] == 0:
        squares, (begin, end) = splat(0.0), newest(r)
        earned = np.empty(s.credit.shape[1] * s.credit.shape[2] * (s.credit.shape[3] - 1) + 1, np.int64)
        for place in range(begin, end):
            squares = squares + learn_last(s, a, queued(r, place), 0, r.padded, earned, c)
        square = total(squares)
    else:
        earn(s, a, r, c)
        for p in range(shares.shape[0]):
            owe(r.owed[p], r.fade[0], np.float64(shares[p]), slot, slots)
        if s.counters[a, 1] % EVERY == 0:
            square = EVERY * square_of_update(r, shares, c)
    return square


@jit(fastmath=FAST, forceinline=True)
def square_of_update(r, shares, c):
    """Sum of squares of what the weights are owed for this step alone."""
    square, inputs = splat(0.0), r.touched.shape[0]
    for i in waiting(r, c):
        left = np.float32(r.fade[0, waited(r, i, c)])
        for o in range(i * r.padded, (i + 1) * r.padded, WIDTH):
            update = splat(0.0)
            for p in range(shares.shape[0]):
                update = update + load(r.z, p * inputs * r.padded + o) * (shares[p] * left)
            square = square + update * update
    return total(square)
