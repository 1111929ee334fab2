"""Who looks at the arrays between two steps sees every row up to date, and changes nothing by looking.

`show` keeps the rows that wait (`lazy_rows`) as they are, and brings the arrays up to date. `go_on` puts them back, if what it
finds is what was shown; where somebody has written something else, what was written counts, and no row waits any more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64

from rstdp_agents.agent.fused.carried import lingers
from rstdp_agents.agent.fused.lazy_rows import RING, dismiss, join, settle, waited, waiting
from rstdp_agents.agent.fused.memory import fill, flat, word
from rstdp_agents.agent.fused.state import known_if
from rstdp_agents.agent.fused.synapse_pass import earn_window
from rstdp_agents.agent.fused.words import any_spike
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.base.structs import Struct
from rstdp_agents.equations.lanes import WIDTH, load, splat, total

BASIS, FACTOR = 0xCBF29CE484222325, 0x100000001B3
"""Of `_digest`."""
KEPT = ("weight", "z", "critic", "trace", "synapse", "tagged")
"""What belongs to a row."""


class Kept(Struct):
    """Rows as they were, for each agent with the fields of a `lazy_rows.Rows` that are `KEPT`."""

    def __init__(self, arrays: dict[str, Any]) -> None:
        """Room for the rows of the first layer that can wait, of the fields ``arrays`` of a state."""
        padded, wide = arrays["layers"][0]["weight"].shape[2], arrays["synapse"].shape[2]
        sizes = known_if(arrays["usual"], {"padded": padded, "wide": wide, "spiking": wide > 0})
        self.arrays = kept_arrays(arrays)
        rows = {name: array.reshape(len(array), -1) for name, array in zip(KEPT, self.arrays, strict=True)}
        agents = range(len(self.arrays[0]))
        super().__init__(rows=[Struct(**{name: array[a] for name, array in rows.items()}, **sizes) for a in agents])


def kept_arrays(arrays: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """The arrays of `KEPT`, for H rows that can wait.

    ``(A, H, P)``, ``(A, K, E, H, P)``, ``(A, H)``, ``(A, E, H)``, ``(A, H, Q)``, ``(A, E, H, Q)``.
    """
    first, most = arrays["layers"][0], np.prod(arrays["index"].shape[2:])
    weight, z = first["weight"], first["z"]
    (agents, inputs, padded), longest = weight.shape, int(arrays["constants"]["lifetime"].max())
    longest += lingers(arrays) if first["carries"] else 0
    rows = 0 if arrays["dense"] else inputs if longest > RING else min(inputs, int(most) * longest)
    wide, of_critic = arrays["synapse"].shape[2], (*arrays["trace"].shape[:2], rows)
    shapes = (
        (agents, rows, padded), (*z.shape[:3], rows, padded), (agents, rows), of_critic, (agents, rows, wide), (*of_critic, wide)
    )  # fmt: skip
    return tuple(np.zeros(shape, np.float32) for shape in shapes)


@jit(fastmath=FAST)
def show(s, a):
    """Bring all of agent a up to date, and keep its rows that wait in ``s.kept``, which holds zeros. s: `state.State`."""
    c = s.constants[a]
    for i in range(len(s.layers)):
        _earn(s.layers[i], a, c)
    if s.dense:
        return
    r, room = s.first.rows[a], s.kept.rows[a]
    rows = waiting(r, c)
    fit = rows.shape[0] <= room.critic.shape[0]  # else others wrote them
    for j in range(rows.shape[0] if fit else 0):
        copy_row(r, rows[j], room, j)
    for i in rows:
        settle(r, i, waited(r, i, c), c)
    if not fit:
        _list_what_is_held(s, a, r)
    s.counters[a, 2], s.counters[a, 3] = fit, _digest(r, rows)


@jit(fastmath=FAST)
def go_on(s, a, for_good):
    """Put back what `show` has kept, unless somebody has written something else or all is to stay up to date ``for_good``."""
    c = s.constants[a]
    for i in range(len(s.layers)):
        _age(s, s.layers[i], a, c)
    if s.dense:
        return
    r = s.first.rows[a]
    rows = waiting(r, c)
    stays = for_good or _is_held_elsewhere(s, a)
    if s.counters[a, 2] and not stays and s.counters[a, 3] == _digest(r, rows):
        for j in range(rows.shape[0]):
            copy_row(s.kept.rows[a], j, r, rows[j])
    else:
        _list_what_is_held(s, a, r)
    s.counters[a, 2] = 0


@jit()
def copy_row(source, i, target, j):
    """Let row j of ``target`` be row i of ``source``, both with the fields of a `lazy_rows.Rows`."""
    rows, others = source.critic.shape[0], target.critic.shape[0]
    copy_part(source.weight, rows, i, target.weight, others, j, source.padded)
    copy_part(source.z, rows, i, target.z, others, j, source.padded)
    copy_part(source.critic, rows, i, target.critic, others, j, 1)
    copy_part(flat(source.trace), rows, i, flat(target.trace), others, j, 1)
    if source.spiking:
        copy_part(source.synapse, rows, i, target.synapse, others, j, source.wide)
        copy_part(source.tagged, rows, i, target.tagged, others, j, source.wide)


@jit()
def copy_part(source, rows, i, target, others, j, width):
    """Of ``source (... rows width,)`` row i is row j of ``target (... others width,)``, both flat."""
    for block in range(source.shape[0] // (rows * width)):
        first, to = (block * rows + i) * width, (block * others + j) * width
        for o in range(width):
            target[to + o] = source[first + o]


@jit()
def _earn(layer, a, c):
    """The eligibility of a layer of agent a is what its last window has made it."""
    if not layer.forgets:
        earn_window(layer, a, layer.rows[a], c)


@jit()
def _age(s, layer, a, c):
    """Dense rows of a layer of agent a have something to learn for a lifetime if anything is eligible."""
    if layer.dense:
        for row in range(layer.age.shape[1]):
            held = _is_eligible(layer, a, row) or (layer.of_inputs and _is_held_by_critic(s, a, row))
            if layer.age[a, row] == 0 and held:
                layer.age[a, row] = c.lifetime


@jit()
def _digest(r, rows):
    """A number that tells whether any bit of these rows has changed (Fowler, Noll and Vo's hash, of words)."""
    digest, inputs = uint64(BASIS), r.critic.shape[0]
    for i in rows:
        digest = _digest_of(digest, r.weight, inputs, i, r.padded)
        digest = _digest_of(digest, r.z, inputs, i, r.padded)
        digest = _digest_of(digest, r.critic, inputs, i, 1)
        digest = _digest_of(digest, flat(r.trace), inputs, i, 1)
        if r.spiking:
            digest = _digest_of(digest, r.synapse, inputs, i, r.wide)
            digest = _digest_of(digest, r.tagged, inputs, i, r.wide)
    return np.int64(digest)


@jit()
def _digest_of(digest, values, rows, i, width):
    """``digest`` with that of row i of ``values (... rows width,)``."""
    for block in range(values.shape[0] // (rows * width)):
        first = (block * rows + i) * width
        for o in range(width):
            digest = (digest ^ uint64(word(values, first + o))) * uint64(FACTOR)
    return digest


@jit()
def _is_eligible(layer, a, i):
    """Whether row i of a layer of agent a has anything eligible, or its input, if it is that of one alone, traces or spikes."""
    terms, envs, rows, padded = layer.z.shape[1:]
    eligible, z = splat(0.0), flat(layer.z[a])
    for p in range(terms * envs):
        for o in range((p * rows + i) * padded, (p * rows + i + 1) * padded, WIDTH):
            eligible = eligible + (load(z, o) > splat(0.0)) + (load(z, o) < splat(0.0))
    found = total(eligible) > 0.0
    if layer.source.shape[0] > 0:
        return found
    for e in range(layer.bits.shape[2]):
        found = found or (layer.carries and layer.x[a, 1, e, i] != 0.0)
        for k in range(layer.bits.shape[1]):
            found = found or any_spike(layer.bits[a, k, e, i], 0, layer.words)
    return found


@jit()
def _is_held_by_critic(s, a, i):
    """Whether the critic of agent a has a trace of input i."""
    found = False
    for e in range(s.trace.shape[1]):
        found = found or s.trace[a, e, i] != 0.0
        for o in range(s.tagged.shape[3]):
            found = found or s.tagged[a, e, i, o] != 0.0
    return found


@jit()
def _is_held_elsewhere(s, a):
    """Whether an input of agent a whose row does not wait holds anything: others wrote it."""
    found, layer = False, s.first
    for i in range(layer.touched.shape[1]):
        found = found or (layer.touched[a, i] < 0 and (_is_eligible(layer, a, i) or _is_held_by_critic(s, a, i)))
    return found


@jit()
def _list_what_is_held(s, a, r):
    """Let the rows of agent a wait that hold anything, all of them up to date."""
    dismiss(r)
    r.queued[2] = 0
    fill(flat(r.owed), 0.0)
    fill(flat(r.owed_by_critic), 0.0)
    for i in range(r.touched.shape[0]):
        if _is_eligible(s.first, a, i) or _is_held_by_critic(s, a, i):
            join(r, i)
