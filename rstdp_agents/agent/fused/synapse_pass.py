"""One pass over the synapses: what was eligible is learnt, and what the weights then are drives the window.

Both the eligibility and the current are sums over input spikes, so that the arrays of synapses run along the output neurons,
and one row of them belongs to one input.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from rstdp_agents.agent.fused.lazy_rows import bounds_of, newest, owe, period, queued, stepped, waited, waiting
from rstdp_agents.agent.fused.memory import flat, room
from rstdp_agents.agent.fused.state import NOW
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.equations.lanes import WIDTH, load, lowest_bit, splat, store, total
from rstdp_agents.equations.three_factor import gap_factor
from rstdp_agents.equations.traces import trace_step

MEASURED = 50
"""Steps from one whose update of rows that wait is measured to the next: it goes through all of them."""


@jit(fastmath=FAST, forceinline=True)
def earned_twice(causal, first, padded, fired, trace, ticks, decay, o):
    """What is too much where an input spike sets its trace to 1 and does not add to it, for sixteen outputs from ``o``.

    It adds 1 less what is left of the trace, so that much less pairs with later output spikes. causal, first: its credit of tick
    0 lies there. fired: bits of the input's spikes. trace: its own, before the window.
    """
    found, last = splat(0.0), np.int64(-1)
    while fired:
        tick, fired = next_tick(fired, ticks)
        left = trace * decay ** np.float64(tick - last)
        found = found + load(causal, first + tick * padded + o) * left
        trace, last = np.float32(1.0), tick
    return found


@jit(fastmath=FAST, forceinline=True)
def earned_besides(layer, a, weight, place, fired, trace, ticks, o, c):
    """What a window has earned beside its input spikes' credit, for sixteen outputs from ``o``: by traces from before it, less by
    spikes that set theirs, and more or less by the size of weights.

    weight: of the synapses. place: of term, env and site in ``credit``, flat. fired, trace: as in `earned_twice`.
    """
    padded, causal, besides = layer.weight.shape[2], flat(layer.causal[a]), splat(0.0)
    first = place * (ticks + 1) * padded
    if trace > 0.0:
        besides = load(flat(layer.lingering[a]), place * padded + o) * trace
    if layer.nearest:
        besides = besides - earned_twice(layer.causal[a], first, padded, fired, trace, ticks, c.rule.decay_x, o)
    if layer.weighs:
        credit, before, both = flat(layer.credit[a]), splat(0.0), splat(0.0)
        while fired:
            tick, fired = next_tick(fired, ticks)
            both = both + load(credit, first + tick * padded + o)
            before = before + load(causal, first + tick * padded + o)
        span = np.float32(c.w_max - c.w_min)
        plus = gap_factor(np.float32(c.w_max) - weight, span, np.float32(c.rule.mu_plus))
        minus = gap_factor(weight - np.float32(c.w_min), span, np.float32(c.rule.mu_minus))
        besides = (before + besides) * plus + (both - before) * minus - both
    return besides


@jit(forceinline=True)
def next_tick(left, ticks):
    """The first tick of the bits ``left``, ``ticks`` if there is none; and the bits without it."""
    return min(lowest_bit(left), ticks), left & (left - uint64(1))


@jit(fastmath=FAST, forceinline=True)
def with_pair(z, row, credit, first, padded, one, two, keep, o):
    """Eligibility after its decay and the spikes of ticks ``one`` and ``two``, for sixteen outputs from ``o``."""
    return trace_step(
        load(z, row + o), load(credit, first + one * padded + o) + load(credit, first + two * padded + o), keep
    )


@jit(fastmath=FAST, forceinline=True)
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


@jit(fastmath=FAST, forceinline=True)
def drive(weight, row, current, first, padded, left, ticks, begin, end):
    """`synapses.Linear.current` of one input: its weights are added to the current of each tick in which it fires."""
    while left:
        one, left = next_tick(left, ticks)
        two, left = next_tick(left, ticks)
        for o in range(begin, end, WIDTH):
            value, here, there = load(weight, row + o), first + one * padded + o, first + two * padded + o
            store(current, here, load(current, here) + value)
            store(current, there, load(current, there) + value)


@jit()
def behind(source, i, site):
    """The input behind row i of a layer at a site; source: of `state.LAYER_FIELDS`."""
    return np.int64(source[i, site]) if source.shape[0] > 0 else i


@jit(fastmath=FAST)
def drive_listed(s, layer, a, begin, end, current):
    """`drive` by the active inputs of agent a, in their order, or by all if spikes of others may arrive.

    begin, end: neurons of the first layer.
    """
    padded, ticks = layer.weight.shape[2], current.shape[2] - 1
    weight, currents, plane = flat(layer.weight[a]), flat(current), (ticks + 1) * padded
    for e in range(current.shape[0]):
        late = s.delays and layer.carries
        for i in range(layer.bits.shape[3] if late else 0):
            drive(weight, i * padded, currents, e * plane, padded, layer.bits[a, 0, e, i], ticks, begin, end)
        for j in range(0 if late else s.many[a, NOW, e]):
            i = s.index[a, NOW, e, j]
            drive(weight, np.int64(i) * padded, currents, e * plane, padded, layer.bits[a, 0, e, i], ticks, begin, end)


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
    decay, square, last = splat(c.rule.decay_z), splat(0.0), terms * envs - 1
    for i in range(rows):
        row, (low, high) = i * padded, bounds_of(i // taps, c)
        for p in range(shares.shape[0] if age[i] > 0 else 0):
            e, z_row, keep = p % envs, (p * rows + i) * padded, decay if pending else splat(1.0)
            for site in range(sites - 1 if pending else 0):
                j, place = behind(source, i, site), p * sites + site
                fired, trace = bits[(envs + e) * inputs + j], x[e, j] if layer.carries else np.float32(0.0)
                if fired != 0 or trace > 0.0:
                    earn(layer, a, z, z_row, place, fired, trace, keep, begin, end, c)
                    keep = splat(1.0)
            j, place = behind(source, i, sites - 1), p * sites + sites - 1
            first, fired = place * plane, bits[(envs + e) * inputs + j] if pending else uint64(0)
            one, two, keep = accumulate_pairs(z, z_row, credit, first, padded, fired, ticks, keep, begin, end)
            share, alive = shares[p], 0.0 if done[e] else 1.0
            trace = x[e, j] if layer.carries and pending else np.float32(0.0)
            for o in range(begin, end, WIDTH):
                eligible = with_pair(z, z_row, credit, first, padded, one, two, keep, o)
                if trace > 0.0 or layer.nearest or layer.weighs:
                    eligible = eligible + earned_besides(
                        layer, a, load(weight, row + o), place, fired, trace, ticks, o, c
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
                fired = bits[e * inputs + behind(source, i, site)]
                drive(weight, row, currents, (e * sites + site) * plane, padded, fired, ticks, begin, end)
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

    bits: of that window, ``(E, I)``. found: an even number is filled, with a place of nothing at the end if need be. Returns
    how many.
    """
    many, plane, envs, sites = 0, (ticks + 1) * padded, bits.shape[0], source.shape[1]
    for p in range(terms * envs):
        for site in range(sites):
            left = bits[p % envs, behind(source, i, site)]
            while left:
                tick, left = next_tick(left, ticks)
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
    weight, currents, bits, source = flat(layer.weight[a]), flat(current), layer.bits[a, 0], layer.source
    earned = room(most_earned(layer), np.int64)
    for i in range(rows):
        if shares.shape[0] > 0:
            square = square + learn_last(layer, a, i, begin, end, earned, c)
        for e in range(envs):
            for site in range(sites):
                plane, fired = (e * sites + site) * (ticks + 1) * padded, bits[e, behind(source, i, site)]
                drive(weight, i * padded, currents, plane, padded, fired, ticks, begin, end)
    return total(square)


@jit(fastmath=FAST, forceinline=True)
def earn(layer, a, z, row, place, fired, trace, keep, begin, end, c):
    """Add to the eligibility of a row of agent a, after its decay, what a window has earned at a site.

    z: of the agent, flat; row: where in it. place: of term, env and site in ``credit`` and ``lingering``, flat. fired, trace: of
    the input behind the row. keep: what is left of its eligibility. begin, end: output neurons.
    """
    (planes, padded), credit, weight = layer.credit.shape[4:], flat(layer.credit[a]), flat(layer.weight[a])
    ticks, first = planes - 1, place * planes * padded
    one, two, left = accumulate_pairs(z, row, credit, first, padded, fired, ticks, keep, begin, end)
    for o in range(begin, end, WIDTH):
        eligible = with_pair(z, row, credit, first, padded, one, two, left, o)
        if trace > 0.0 or layer.nearest or layer.weighs:
            own = load(weight, row % weight.shape[0] + o)
            eligible = eligible + earned_besides(layer, a, own, place, fired, trace, ticks, o, c)
        store(z, row + o, eligible)


@jit(fastmath=FAST)
def earn_window(layer, a, r, c):
    """Write the eligibility that the last window has earned, so that z is what the torch path would show. r: `lazy_rows.Rows`."""
    if not layer.pending[a]:
        return
    sites, (rows, padded), source, x = layer.credit.shape[3], layer.weight.shape[1:], layer.source, layer.x[a, 0]
    envs, pairs = r.bits.shape[0], r.owed.shape[0]
    begin, end = (0, rows) if layer.dense else newest(r)
    for step in range(begin, end):
        i = step if layer.dense else queued(r, step)
        for p in range(pairs):
            e, row, keep = p % envs, (p * rows + i) * padded, splat(c.rule.decay_z if layer.dense else 1.0)
            for site in range(sites):
                j = behind(source, i, site)
                fired, trace = r.bits[e, j], x[e, j] if layer.carries else np.float32(0.0)
                if fired != 0 or trace > 0.0 or (layer.dense and site == sites - 1):
                    earn(layer, a, r.z, row, p * sites + site, fired, trace, keep, 0, padded, c)
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
