"""One pass over the synapses: what was eligible is learnt, and what the weights then are drives the window.

What one input does is in `spike_pairs`.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from rstdp_agents.agent.fused.lazy_rows import bounds_of, newest, owe, period, queued, stepped, waited, waiting
from rstdp_agents.agent.fused.memory import flat, room
from rstdp_agents.agent.fused.spike_pairs import (
    accumulate_pairs,
    accumulate_words,
    behind,
    drive,
    earn,
    earned_besides,
    with_pair,
)
from rstdp_agents.agent.fused.state import NOW
from rstdp_agents.agent.fused.words import BITS, any_spike, next_tick
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.equations.lanes import WIDTH, load, splat, store, total

MEASURED = 50
"""Steps from one whose update of rows that wait is measured to the next: it goes through all of them."""


@jit(fastmath=FAST)
def drive_listed(s, layer, a, begin, end, current):
    """`drive` by the active inputs of agent a, in their order, or by all if spikes of others may arrive.

    begin, end: neurons of the first layer.
    """
    padded, ticks = layer.weight.shape[2], current.shape[2] - 1
    weight, currents, plane = flat(layer.weight[a]), flat(current), (ticks + 1) * padded
    late, words = s.delays and layer.carries, layer.words
    for e in range(current.shape[0]):
        bits = flat(layer.bits[a, 0, e])
        for i in range(layer.bits.shape[3] if late else 0):
            drive(weight, i * padded, currents, e * plane, padded, bits, i * words, words, ticks, begin, end)
        for j in range(0 if late else s.many[a, NOW, e]):
            i = np.int64(s.index[a, NOW, e, j])
            drive(weight, i * padded, currents, e * plane, padded, bits, i * words, words, ticks, begin, end)


@jit(fastmath=FAST)
def learn_and_drive(s, layer, a, begin, end, done, shares, current, c):
    """The pass for a layer of agent a whose rows are dense, and its output neurons from ``begin`` to ``end``.

    done ``(E,)``. shares ``(K E,)``: what each eligibility is multiplied with; none if nothing is learnt. current
    ``(E, S, T + 1, P)``, added to. Returns the sum of squares of the update.
    """
    rows, padded = layer.weight.shape[1:]
    terms, envs, sites, ticks = s.terms.shape[0], current.shape[0], current.shape[1], current.shape[2] - 1
    pending, inputs, source, taps = layer.pending[a], layer.bits.shape[3], layer.source, layer.taps
    weight, z, credit, x = (
        flat(layer.weight[a]),
        flat(layer.z[a]),
        flat(layer.credit[a]),
        layer.x[a, 0],
    )
    currents, age = flat(current), layer.age[a]
    bits, change, plane = flat(layer.bits[a]), room(padded, np.float32), (ticks + 1) * padded
    decay, square, last, words = splat(c.rule.decay_z), splat(0.0), terms * envs - 1, layer.words
    for i in range(rows):
        row, (low, high) = i * padded, bounds_of(i // taps, c)
        for p in range(shares.shape[0] if age[i] > 0 else 0):
            e, z_row, keep = p % envs, (p * rows + i) * padded, decay if pending else splat(1.0)
            for site in range(sites - 1 if pending else 0):
                j, place = behind(source, i, site), p * sites + site
                at, trace = ((envs + e) * inputs + j) * words, x[e, j] if layer.carries else np.float32(0.0)
                if any_spike(bits, at, words) or trace > 0.0:
                    earn(layer, a, z, z_row, place, bits, at, trace, keep, begin, end, c)
                    keep = splat(1.0)
            j, place = behind(source, i, sites - 1), p * sites + sites - 1
            first, at = place * plane, ((envs + e) * inputs + j) * words
            if pending and layer.words > 1:
                keep = accumulate_words(z, z_row, credit, first, padded, bits, at, words, ticks, keep, begin, end)
            fired, since = bits[at + words - 1] if pending else uint64(0), BITS * (words - 1)
            one, two, keep = accumulate_pairs(z, z_row, credit, first, padded, fired, since, ticks, keep, begin, end)
            share, alive = shares[p], 0.0 if done[e] else 1.0
            trace = x[e, j] if layer.carries else np.float32(0.0)
            for o in range(begin, end, WIDTH):
                eligible = with_pair(z, z_row, credit, first, padded, one, two, keep, o)
                if pending and (trace > 0.0 or layer.nearest or layer.weighs):
                    eligible = eligible + earned_besides(
                        layer, a, load(weight, row + o), place, bits, at, trace, ticks, o, c
                    )
                store(z, z_row + o, eligible * alive)
                update = eligible * share
                if p > 0:
                    update = update + load(change, o)
                if p < last:
                    store(change, o, update)
                else:
                    square = square + update * update
                    store(weight, row + o, stepped(load(weight, row + o), update, low, high, c))
        for e in range(envs):
            for site in range(sites):
                at = (e * inputs + behind(source, i, site)) * words
                drive(weight, row, currents, (e * sites + site) * plane, padded, bits, at, words, ticks, begin, end)
    return total(square)


@jit(fastmath=FAST)
def modulate_credit(credit, shares):
    """Multiply ``credit (K E ...)``, along one axis, by the shares of `learn_and_drive`, in place."""
    size = credit.shape[0] // shares.shape[0]
    for p in range(shares.shape[0]):
        for o in range(p * size, (p + 1) * size, WIDTH):
            store(credit, o, load(credit, o) * shares[p])


@jit(fastmath=FAST)
def find_earned(bits, source, i, terms, ticks, padded, found):
    """Where in ``credit`` lies what the last window's spikes behind row i have earned, in each term, env and site.

    bits: of that window, ``(E, I, W)``. found: an even number is filled, with a place of nothing at the end if need be. Returns
    how many.
    """
    many, plane, envs, sites = 0, (ticks + 1) * padded, bits.shape[0], source.shape[1]
    for p in range(terms * envs):
        for site in range(sites):
            j = behind(source, i, site)
            for w in range(bits.shape[2]):
                left = bits[p % envs, j, w]
                while left:
                    tick, left = next_tick(left, BITS * w, ticks)
                    found[many] = (p * sites + site) * plane + tick * padded
                    many += 1
    found[many] = ticks * padded
    return many + many % 2


@jit()
def most_earned(layer):
    """Places that `find_earned` may fill."""
    terms, envs, sites, planes = layer.credit.shape[1:5]
    return terms * envs * sites * (planes - 1) + 1


@jit(fastmath=FAST)
def learn_last(layer, a, i, begin, end, earned, c):
    """What row i of agent a learns of the last window, if eligibility lasts for no longer: `plasticity.last_window`.

    What was earned has been multiplied with the modulator. earned: for `find_earned` to write to. Returns the sum of squares
    of the update, in lanes.
    """
    padded, (low, high), square = layer.weight.shape[2], bounds_of(i // layer.taps, c), splat(0.0)
    weight, credit = flat(layer.weight[a]), flat(layer.credit[a])
    terms, ticks = layer.credit.shape[1], layer.credit.shape[4] - 1
    many = find_earned(layer.bits[a, layer.bits.shape[1] - 1], layer.source, i, terms, ticks, padded, earned)
    for o in range(begin, end if many or layer.carries else begin, WIDTH):
        update, row = splat(0.0), i * padded + o
        for j in range(0, many, 2):
            update = update + (load(credit, earned[j] + o) + load(credit, earned[j + 1] + o))
        if layer.carries:
            update = update + lingering_of(layer, a, i, o)
        square = square + update * update
        store(weight, row, stepped(load(weight, row), update, low, high, c))
    return square


@jit(fastmath=FAST)
def lingering_of(layer, a, i, o):
    """What the traces behind row i of agent a, from before the last window, have earned in it, for sixteen outputs from ``o``."""
    terms, envs, sites, padded = layer.lingering.shape[1:]
    lingering, x, earned = flat(layer.lingering[a]), layer.x[a, 0], splat(0.0)
    for p in range(terms * envs):
        for site in range(sites):
            trace = x[p % envs, behind(layer.source, i, site)]
            if trace > 0.0:
                earned = earned + load(lingering, (p * sites + site) * padded + o) * trace
    return earned


@jit(fastmath=FAST)
def learn_last_and_drive(layer, a, begin, end, shares, current, c):
    """`learn_and_drive` where eligibility lasts for one window, and z is nowhere."""
    rows, padded = layer.weight.shape[1:]
    envs, sites, ticks, square = current.shape[0], current.shape[1], current.shape[2] - 1, splat(0.0)
    weight, currents, bits, source = flat(layer.weight[a]), flat(current), flat(layer.bits[a, 0]), layer.source
    inputs, words = layer.bits.shape[3], layer.words
    earned = room(most_earned(layer), np.int64)
    for i in range(rows):
        if shares.shape[0] > 0:
            square = square + learn_last(layer, a, i, begin, end, earned, c)
        for e in range(envs):
            for site in range(sites):
                plane, at = (e * sites + site) * (ticks + 1) * padded, (e * inputs + behind(source, i, site)) * words
                drive(weight, i * padded, currents, plane, padded, bits, at, words, ticks, begin, end)
    return total(square)


@jit(fastmath=FAST)
def earn_window(layer, a, r, c):
    """Write the eligibility that the last window has earned, so that z is what the torch path would show. r: `lazy_rows.Rows`."""
    if not layer.pending[a]:
        return
    sites, (rows, padded), source, x = layer.credit.shape[3], layer.weight.shape[1:], layer.source, layer.x[a, 0]
    (envs, inputs), pairs, bits, words = r.bits.shape[:2], r.owed.shape[0], flat(r.bits), layer.words
    begin, end = (0, rows) if layer.dense else newest(r)
    for step in range(begin, end):
        i = step if layer.dense else queued(r, step)
        for p in range(pairs):
            e, row, keep = p % envs, (p * rows + i) * padded, splat(c.rule.decay_z if layer.dense else 1.0)
            for site in range(sites):
                j = behind(source, i, site)
                at, trace = (e * inputs + j) * words, x[e, j] if layer.carries else np.float32(0.0)
                if any_spike(bits, at, words) or trace > 0.0 or (layer.dense and site == sites - 1):
                    earn(layer, a, r.z, row, p * sites + site, bits, at, trace, keep, 0, padded, c)
                    keep = splat(1.0)
    layer.pending[a] = False


@jit(fastmath=FAST)
def learn_listed(s, layer, a, r, shares, c):
    """Agent a, of a sparse code, learns of its last window: what its rows are owed grows.

    r: its `lazy_rows.Rows`. shares as in `learn_and_drive`. Returns the sum of squares of the update; where rows wait, of one
    in `MEASURED`, so many times.
    """
    slots, slot, square = period(c), r.queued[2], 0.0
    for e in range(r.trace.shape[0]):
        owe(r.owed_by_critic[e], r.fade[1], s.felt[a, e], slot, slots)
    if layer.forgets:
        squares, (begin, end) = splat(0.0), newest(r)
        earned = room(most_earned(layer), np.int64)
        for place in range(begin, end):
            squares = squares + learn_last(layer, a, queued(r, place), 0, r.padded, earned, c)
        square = total(squares)
    else:
        earn_window(layer, a, r, c)
        for p in range(shares.shape[0]):
            owe(r.owed[p], r.fade[0], np.float64(shares[p]), slot, slots)
        if (s.counters[a, 1] - 1) % MEASURED == 0:  # windows before this one
            square = MEASURED * square_of_update(r, shares, c)
    return square


@jit(fastmath=FAST)
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
