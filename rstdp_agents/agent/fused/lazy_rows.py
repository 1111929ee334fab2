"""Rows of a sparse code, brought up to date when their input is active and not at every step.

A row is what belongs to one input: its weights and their eligibility, its weight in the critic and the trace of that. Without new
spikes an eligibility z decays, z(t) = z(s) a^(t - s), and after a step t the weight is owed

    z(s) sum over k from s to t of share(k) a^(k - s),

share: of `three_factor`, lr m. The sum is the same for all rows that were brought up to date in the same step s: each agent keeps
one for each of the last steps (``owed``) and adds to all of them in every step. So a step costs what is active, however many
inputs there are and however long their traces last. The critic's weights and their trace go the same way.

Rows that have something to learn wait in a queue, in the order in which they were brought up to date, until they have waited
for a whole period. Then there is nothing left to learn, or they wait again. Bounds act on a weight when its row is brought up to
date: in the steps between, its input is silent, and has no use for them.

Who looks at the arrays sees everything up to date, and changes no bit of what follows: see `looks`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64

from rstdp_agents.agent.fused.memory import fill, room
from rstdp_agents.agent.fused.state import known_if
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.base.structs import Struct
from rstdp_agents.equations.critic import critic_step
from rstdp_agents.equations.lanes import WIDTH, load, splat, store
from rstdp_agents.equations.ops import clip
from rstdp_agents.equations.spiking_value import critic_bounds
from rstdp_agents.equations.three_factor import dale_bounds, soft_change, weight_step

FORGOTTEN = 1e-8
"""What is left of a trace when it counts as none: less than the rounding of what it was."""
RING = 256
"""Longest time that a row waits, in steps; if its traces last longer, it waits again."""


ROWS = {
    "weight": "(R P,)",
    "z": "(K E R P,)",
    "critic": "(I,)",
    "trace": "(E, I)",
    "synapse": "(I Q,): weights of a spiking critic; none where it does not spike",
    "tagged": "(E I Q,): their trace",
    "balance": "(1,): of that critic",
    "bits": "(E, I, W), of this window",
    "touched": "(R,): slot of the step in which a row joined the queue, -1 for rows that do not wait",
    "queue": "(Q,), a ring: inputs whose rows wait, in the order in which they joined; the last place of an input counts",
    "queued": "(3,): first and next place in the queue, counted on, and the slot of this step",
    "joined": "(RING,): how many joined in the step of each slot",
    "owed": "(K E, RING): shares of the steps since that of each slot, faded and added up",
    "owed_by_critic": "(E, RING), likewise",
    "fade": "(2, RING + 1): what is left after 0, 1, ... steps of an eligibility, and of a trace of the critic",
    "padded": "P",
    "spiking": "whether the critic spikes; a truth",
    "wide": "Q of the critic; 0 where it is linear",
}
"""Of `Rows`; letters as in `state`."""


class Rows(Struct):
    """The rows of an agent in a layer; what is the critic's belongs to those of the first. The arrays of `ROWS`."""

    def __init__(self, layer: dict[str, Any], arrays: dict[str, Any], agent: int) -> None:
        of_critic = ("critic", "trace", "balance", "owed_by_critic", "fade")
        of_layer = ("touched", "queue", "queued", "joined", "owed")
        flat = {"weight": layer["weight"], "z": layer["z"], "synapse": arrays["synapse"], "tagged": arrays["tagged"]}
        made = {name: array[agent].reshape(-1) for name, array in flat.items()} | {"bits": layer["bits"][agent, 0]}
        made |= {name: arrays[name][agent] for name in of_critic} | {name: layer[name][agent] for name in of_layer}
        sizes = {"padded": layer["weight"].shape[2], "wide": arrays["synapse"].shape[2]}
        fields = made | sizes | {"spiking": sizes["wide"] > 0}
        super().__init__(**known_if(arrays["usual"], {name: fields[name] for name in ROWS}))


@jit()
def period(c):
    """Steps for which rows wait. c: `constants.Constants`."""
    return min(c.lifetime, RING)


@jit()
def waited(r, i, c):
    """Steps since the row of input i, which waits, was brought up to date."""
    steps = r.queued[2] - r.touched[i]
    return steps if steps >= 0 else steps + period(c)


@jit()
def newest(r):
    """The places in the queue of the rows of this step, which are those of all active inputs: from, to."""
    return r.queued[1] - r.joined[r.queued[2]], r.queued[1]


@jit()
def queued(r, place):
    """The input at a place of the queue, whose length is a power of two."""
    return np.int64(r.queue[place & (r.queue.shape[0] - 1)])


@jit()
def join(r, i):
    """Let the row of input i, which is up to date, wait."""
    r.queue[r.queued[1] & (r.queue.shape[0] - 1)] = i
    r.queued[1] += 1
    r.joined[r.queued[2]] += 1
    r.touched[i] = r.queued[2]


@jit()
def join_all(r, active):
    """Let the rows of the ``active`` inputs wait, all of which are up to date or wait already."""
    for j in range(active.shape[0]):
        i = np.int64(active[j])
        if r.touched[i] < 0:
            join(r, i)


@jit()
def make_room(r, c):
    """Drop from the queue what has joined again since, if it might not take two more steps' inputs: at most one place each stays.

    Only where more rows are in use than inputs are active can it come to that.
    """
    inputs, place, out, slot, slots = r.touched.shape[0], r.queued[0], r.queued[0], r.queued[2], period(c)
    if r.queued[1] - r.queued[0] <= r.queue.shape[0] - 2 * inputs:
        return
    for _ in range(slots):
        slot = slot + 1 if slot + 1 < slots else 0
        stay = 0
        for _ in range(r.joined[slot]):
            i = queued(r, place)
            place += 1
            if r.touched[i] == slot:
                r.queue[out & (r.queue.shape[0] - 1)] = i
                out += 1
                stay += 1
        r.joined[slot] = stay
    r.queued[1] = out


@jit()
def waiting(r, c):
    """All inputs whose rows wait, each once."""
    found = room(r.queued[1] - r.queued[0], np.int64)
    many, place, slot, slots = 0, r.queued[0], r.queued[2], period(c)
    for _ in range(slots):
        slot = slot + 1 if slot + 1 < slots else 0
        for _ in range(r.joined[slot]):
            i = queued(r, place)
            found[many] = i
            many += r.touched[i] == slot
            place += 1
    return found[:many]


@jit()
def bounds_of(i, c):
    """Bounds of the weights of input i. c: `constants.Constants`."""
    return dale_bounds(c.w_min, c.w_max, i % 2 == 1) if c.dale else (c.w_min, c.w_max)


@jit(fastmath=FAST, forceinline=True)
def stepped(weight, update, low, high, c):
    """Sixteen weights after an update, within their bounds; c: `constants.Constants`."""
    if c.mu > 0.0:
        update = soft_change(weight, update, low, high, c.mu)
    return weight_step(weight, update, low, high)


@jit()
def bounds_of_critic(r, i, c):
    """Bounds of a spiking critic's weights of input i."""
    return (
        critic_bounds(np.float32(r.balance[0]), i // c.plane % 2 == 1)
        if c.dale
        else (np.float32(-np.inf), np.float32(np.inf))
    )


@jit(fastmath=FAST)
def synapses_now(r, i, o, c):
    """A spiking critic's weights from input i, whose row waits, as they are by now: sixteen of them, from place ``o``."""
    weight, (low, high) = load(r.synapse, o), bounds_of_critic(r, i, c)
    for e in range(r.trace.shape[0]):
        row, owed = e * r.critic.shape[0] * r.wide + o, np.float32(r.owed_by_critic[e, r.touched[i]])
        weight = critic_step(weight, load(r.tagged, row), owed)
    return clip(weight, low, high)


@jit(fastmath=FAST)
def settle(r, i, steps, c):
    """Bring the row of input i up to date, ``steps`` after the last time: weights, bounds, eligibility and critic."""
    slot, inputs, pairs = r.touched[i], r.touched.shape[0], r.owed.shape[0] if r.z.shape[0] else 0
    fade, (low, high) = np.float32(r.fade[0, steps]), bounds_of(i, c)
    for o in range(i * r.padded, (i + 1) * r.padded if pairs else 0, WIDTH):
        update = splat(0.0)
        for p in range(pairs):
            row = p * inputs * r.padded + o
            eligible = load(r.z, row)
            update = update + eligible * np.float32(r.owed[p, slot])
            store(r.z, row, eligible * fade)
        store(r.weight, o, stepped(load(r.weight, o), update, low, high, c))
    left = np.float32(r.fade[1, max(steps - 1, 0)])
    for e in range(r.trace.shape[0]):
        r.critic[i] = critic_step(r.critic[i], r.trace[e, i], np.float32(r.owed_by_critic[e, slot]))
        r.trace[e, i] *= left
    if r.spiking:
        settle_synapses(r, i, steps, c)


@jit(fastmath=FAST)
def settle_synapses(r, i, steps, c):
    """As `settle`, what a spiking critic has of input i; marked at the end of a step, where a linear one is at the start."""
    left = np.float32(r.fade[1, steps])
    for o in range(i * r.wide, (i + 1) * r.wide, WIDTH):
        store(r.synapse, o, synapses_now(r, i, o, c))
        for e in range(r.trace.shape[0]):
            row = e * r.critic.shape[0] * r.wide + o
            store(r.tagged, row, load(r.tagged, row) * left)


@jit(fastmath=FAST)
def owe(owed, fade, share, slot, slots):
    """A step of ``share``, that of ``slot``: what is owed to the rows of each of the last steps, ``owed (RING,)``."""
    for back in range(slot + 1):
        owed[slot - back] += share * fade[back]
    for back in range(slot + 1, slots):
        owed[slot + slots - back] += share * fade[back]


@jit(fastmath=FAST)
def end_episode(r, e, c):
    """Learn what is still to be learnt of the episode in env e, and forget its eligibility and trace."""
    envs, inputs = r.trace.shape[0], r.touched.shape[0]
    terms = r.owed.shape[0] // envs if r.z.shape[0] else 0
    for i in waiting(r, c):
        slot, (low, high) = r.touched[i], bounds_of(i, c)
        for o in range(i * r.padded, (i + 1) * r.padded if terms else 0, WIDTH):
            update = splat(0.0)
            for k in range(terms):
                row = (k * envs + e) * inputs * r.padded + o
                update = update + load(r.z, row) * np.float32(r.owed[k * envs + e, slot])
                store(r.z, row, splat(0.0))
            store(r.weight, o, stepped(load(r.weight, o), update, low, high, c))
        r.critic[i] = critic_step(r.critic[i], r.trace[e, i], np.float32(r.owed_by_critic[e, slot]))
        r.trace[e, i] = 0.0
        if r.spiking:
            end_synapses(r, e, i, slot, c)
    if envs == 1:
        dismiss(r)


@jit(fastmath=FAST)
def end_synapses(r, e, i, slot, c):
    """As `end_episode`, what a spiking critic has of input i."""
    owed, (low, high) = np.float32(r.owed_by_critic[e, slot]), bounds_of_critic(r, i, c)
    for o in range(i * r.wide, (i + 1) * r.wide, WIDTH):
        row = e * r.critic.shape[0] * r.wide + o
        store(r.synapse, o, clip(critic_step(load(r.synapse, o), load(r.tagged, row), owed), low, high))
        store(r.tagged, row, splat(0.0))


@jit()
def dismiss(r):
    """No row waits any longer."""
    for place in range(r.queued[0], r.queued[1]):
        r.touched[queued(r, place)] = -1
    r.queued[0] = r.queued[1]
    fill(r.joined, 0)


@jit()
def forget(r, i):
    """Nothing of input i is left to learn."""
    for row in range(i * r.padded, r.z.shape[0], r.touched.shape[0] * r.padded):
        fill(r.z[row : row + r.padded], 0.0)
    for e in range(r.trace.shape[0]):
        r.trace[e, i] = 0.0
        if r.spiking:
            row = (e * r.touched.shape[0] + i) * r.wide
            fill(r.tagged[row : row + r.wide], 0.0)
    r.touched[i] = -1


@jit()
def clear_spikes(r):
    """Forget the input spikes of the last window."""
    begin, end = newest(r)
    for place in range(begin, end):
        i = queued(r, place)
        for e in range(r.bits.shape[0]):
            fill(r.bits[e, i], uint64(0))


@jit()
def next_step(r, c):
    """Begin a step: rows that have waited for a whole period are forgotten, or wait again."""
    slots = period(c)
    slot = r.queued[2] + 1 if r.queued[2] + 1 < slots else 0
    first, expired = r.queued[0], r.joined[slot]
    r.queued[0], r.queued[2], r.joined[slot] = first + expired, slot, 0
    for place in range(first, first + expired):
        i = queued(r, place)
        if r.touched[i] == slot:
            settle(r, i, slots, c)
            if slots == c.lifetime:
                forget(r, i)
            else:
                join(r, i)
    for p in range(r.owed.shape[0]):
        r.owed[p, slot] = 0.0
    for e in range(r.owed_by_critic.shape[0]):
        r.owed_by_critic[e, slot] = 0.0


@jit()
def decay_at_rest(r):
    """Begin a window that follows no learning. No row waits, and all that have something to learn are those of this step."""
    begin, end = newest(r)
    for place in range(begin, end):
        for row in range(queued(r, place) * r.padded, r.z.shape[0], r.touched.shape[0] * r.padded):
            for o in range(row, row + r.padded):
                r.z[o] *= np.float32(r.fade[0, 1])


@jit()
def use(r, active, c):
    """Bring the rows of the ``active`` inputs up to date."""
    slot = r.queued[2]
    for j in range(active.shape[0]):
        i = np.int64(active[j])
        if r.touched[i] == slot:
            continue
        if r.touched[i] >= 0:
            settle(r, i, waited(r, i, c), c)
        join(r, i)
