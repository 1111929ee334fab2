"""Spikes of a window as words of bits, one bit per tick: what does not fire is passed over, 64 ticks at once.

W: words of a window. Those of an input lie one after the other.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from rstdp_agents.base.compiled import jit
from rstdp_agents.equations.lanes import count_bits, lowest_bit

BITS = 64
"""Of a word."""


def words_of(ticks: int) -> int:
    """W."""
    return -(-ticks // BITS)


@jit(forceinline=True)
def next_tick(left, since, ticks):
    """The first tick of the bits ``left`` of a word, ``ticks`` if there is none; and the bits without it.

    since: the first tick of the word.
    """
    return since + lowest_bit(left) if left else ticks, left & (left - uint64(1))


@jit(forceinline=True)
def any_spike(bits, at, words):
    """Whether any bit is set of the ``words`` from place ``at`` of bits ``(n,)``."""
    found = bits[at]
    for w in range(at + 1, at + words):
        found |= bits[w]
    return found != uint64(0)


@jit(forceinline=True)
def spikes_of(bits, at, words):
    """How many bits are set of the ``words`` from place ``at`` of bits ``(n,)``."""
    many = count_bits(bits[at])
    for w in range(at + 1, at + words):
        many += count_bits(bits[w])
    return many


@jit()
def delay_spikes(bits, delay, under_way, ticks):
    """Let the spikes of an input arrive late: bits ``(W,)`` become those that do in this window, of so many ticks.

    delay: in ticks, below `BITS`. under_way: what is still to come, from the first tick on. Returns what is to come afterwards.
    """
    last = bits.shape[0] - 1
    kept, over = uint64(ticks - BITS * last), uint64(0)
    for w in range(bits.shape[0]):
        fired = bits[w]
        bits[w] = (fired << delay) | over
        over = fired >> (uint64(BITS) - delay) if delay > 0 else uint64(0)
        if w == 0:
            bits[w] |= under_way
    if kept == BITS:
        return over
    left = (bits[last] >> kept) | (over << (uint64(BITS) - kept))
    bits[last] &= (uint64(1) << kept) - uint64(1)
    return left


def pack_spikes(spikes: np.ndarray) -> np.ndarray:
    """Spikes 0 and 1, ``(agents, envs, ticks, inputs)``, as bits ``(agents, envs, inputs, W)`` uint64."""
    ticks = spikes.shape[2]
    whole = np.zeros((*spikes.shape[:2], spikes.shape[3], words_of(ticks) * BITS), bool)
    whole[..., :ticks] = np.moveaxis(spikes, 2, 3)
    return np.packbits(whole, axis=-1, bitorder="little").view("<u8").astype(np.uint64)


def unpack_spikes(bits: np.ndarray, ticks: int) -> np.ndarray:
    """Bits ``(..., W)`` as spikes 0 and 1, ``(ticks, ...)`` float32."""
    eights = np.ascontiguousarray(bits).astype("<u8").view(np.uint8)
    spikes = np.unpackbits(eights, axis=-1, count=ticks, bitorder="little")
    return np.moveaxis(spikes, -1, 0).astype(np.float32)
