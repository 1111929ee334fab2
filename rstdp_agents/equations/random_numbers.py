"""Counter-based random numbers: a number depends on seed, window and place, on nothing drawn before.

Each mix of bits stands in two forms: compiled code computes in integers of 32 and 64 bits without a sign, of which torch has
none; tensors hold them in int64.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import uint32, uint64
from torch import Tensor

from rstdp_agents.base.compiled import entry, jit

RESOLUTION = np.float32(2.0**-24)
"""Step of the uniform draws: what is less probable never happens."""
LOW32 = 0xFFFFFFFF
GOLDEN, STEP, MIX1, MIX2 = 0x9E3779B97F4A7C15, 0xD1B54A32D192ED03, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""Odd constants of 64 bits, of `window_keys`."""
GOLDEN32, MIX32_1, MIX32_2 = 0x9E3779B9, 0x7FEB352D, 0x846CA68B
"""Odd constants of 32 bits, of `uniform_at`."""


@jit(forceinline=True)
def window_keys(seed, window):
    """Two 32-bit keys for one window of the agent with this seed: the output function of SplitMix64 (Steele et al. 2014)."""
    x = uint64(seed) * uint64(GOLDEN) + uint64(window) * uint64(STEP)
    x = (x ^ (x >> uint64(30))) * uint64(MIX1)
    x = (x ^ (x >> uint64(27))) * uint64(MIX2)
    x = x ^ (x >> uint64(31))
    return uint32(x & uint64(LOW32)), uint32(x >> uint64(32))


def tensor_window_keys(seeds: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """`window_keys` of seeds ``(agents,)`` int64 on any device: 64-bit numbers held in int64 wrap around as they should."""
    x = seeds * _signed(GOLDEN) + _signed(window * STEP)
    x = (x ^ _shifted(x, 30)) * _signed(MIX1)
    x = (x ^ _shifted(x, 27)) * _signed(MIX2)
    x = x ^ _shifted(x, 31)
    return x & LOW32, _shifted(x, 32)


def _signed(number: int) -> int:
    """The int64 of the same lowest 64 bits."""
    return (number + 2**63) % 2**64 - 2**63


def _shifted(x: Tensor, bits: int) -> Tensor:
    """int64 shifted right as if it had no sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


@jit(inline="always")
def uniform_at(place, key0, key1):
    """The number in [0, 1), of 24 bits, at a place: a bijective mix of place and keys."""
    # every step is cast back: numba widens integer arithmetic to 64 bits
    x = uint32(uint32(uint32(place) * uint32(GOLDEN32)) + key0)
    x = uint32(x ^ (x >> uint32(16)))
    x = uint32(uint32(x * uint32(MIX32_1)) ^ key1)
    x = uint32(x ^ (x >> uint32(15)))
    x = uint32(x * uint32(MIX32_2))
    return np.float32(uint32(x ^ (x >> uint32(16))) >> uint32(8)) * RESOLUTION


def tensor_uniform_at(place: Tensor, key0: Tensor, key1: Tensor) -> Tensor:
    """`uniform_at` on any device, for 32-bit numbers held in int64 tensors that broadcast."""
    x = (place * GOLDEN32 + key0) & LOW32
    x = x ^ (x >> 16)
    x = ((x * MIX32_1) & LOW32) ^ key1
    x = x ^ (x >> 15)
    x = (x * MIX32_2) & LOW32
    return ((x ^ (x >> 16)) >> 8).to(torch.float32) * float(RESOLUTION)


@jit(forceinline=True)
def fill_uniform(out, begin, end, first, keys):
    """Fill ``out (n,)`` from ``begin`` to ``end`` with the numbers at places ``first, first + 1, ...``."""
    key0, key1, first = uint32(keys[0]), uint32(keys[1]), uint32(first - begin)
    for i in range(begin, end):
        out[i] = uniform_at(uint32(first + uint32(i)), key0, key1)


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
            fill_uniform(out[a], r * n, (r + 1) * n, first + r * stride, keys)
    return out
