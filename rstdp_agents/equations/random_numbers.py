"""Counter-based random numbers for compiled code: a number depends on its key and its place, on nothing drawn before."""

from __future__ import annotations

import numpy as np
from numba import uint32, uint64

from rstdp_agents.base.compiled import entry, jit

SCALE = np.float32(2.0**-24)


@jit(forceinline=True)
def window_keys(seed, window):
    """Two 32-bit keys for one window of the agent with this seed."""
    x = uint64(seed) * uint64(0x9E3779B97F4A7C15) + uint64(window) * uint64(0xD1B54A32D192ED03)
    x = (x ^ (x >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> uint64(27))) * uint64(0x94D049BB133111EB)
    x = x ^ (x >> uint64(31))
    return uint32(x & uint64(0xFFFFFFFF)), uint32(x >> uint64(32))


@jit(inline="always")
def uniform_at(place, key0, key1):
    """The number in [0, 1), of 24 bits, at a place: a bijective mix of place and keys."""
    # every step is cast back: numba widens integer arithmetic to 64 bits
    x = uint32(uint32(uint32(place) * uint32(0x9E3779B9)) + key0)
    x = uint32(x ^ (x >> uint32(16)))
    x = uint32(uint32(x * uint32(0x7FEB352D)) ^ key1)
    x = uint32(x ^ (x >> uint32(15)))
    x = uint32(x * uint32(0x846CA68B))
    return np.float32(uint32(x ^ (x >> uint32(16))) >> uint32(8)) * SCALE


@jit(forceinline=True)
def fill_uniform(out, first, keys):
    """Fill ``out (n,)`` with the numbers at places ``first, first + 1, ...``."""
    key0, key1 = uint32(keys[0]), uint32(keys[1])
    for i in range(out.shape[0]):
        out[i] = uniform_at(uint32(uint32(first) + uint32(i)), key0, key1)


@jit(forceinline=True)
def fill_uniform_at(out, places, first, keys):
    """As `fill_uniform`, at the places ``first + places[0], first + places[1], ...``; places ``(n,)`` int32."""
    key0, key1 = uint32(keys[0]), uint32(keys[1])
    for i in range(out.shape[0]):
        out[i] = uniform_at(uint32(uint32(first) + uint32(places[i])), key0, key1)


@entry(nogil=True)
def draw_rows(seeds, window, first, stride, rows, n):
    """``(agents, rows * n)``: row r has the numbers at places ``first + r * stride, ...``, for seeds ``(agents,)`` int64."""
    out = np.empty((seeds.shape[0], rows * n), np.float32)
    for a in range(out.shape[0]):
        keys = window_keys(seeds[a], window)
        for r in range(rows):
            fill_uniform(out[a, r * n : (r + 1) * n], first + r * stride, keys)
    return out
