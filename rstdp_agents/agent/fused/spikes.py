"""Input spikes of a window, one bit per tick: most inputs are silent, and what is silent costs next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import uint64
from torch import Tensor

from rstdp_agents.agent.fused.memory import fill, room
from rstdp_agents.agent.fused.state import NOW
from rstdp_agents.base.compiled import jit
from rstdp_agents.equations.lanes import count_bits
from rstdp_agents.equations.random_numbers import RESOLUTION, fill_uniform_at

MAX_TICKS = 64
"""Bits of a word."""


@jit()
def draw_spikes(index, value, p_max, ticks, envs, e, inputs, keys, bits, count):
    """`encoders.bernoulli` of env e of ``envs``: writes the spikes of its active inputs into bits ``(I,)`` uint64.

    index, value ``(n,)``: the active of the ``inputs``, and their rates. keys: of `random.window_keys`. count ``(I,)``: the
    spikes are added to it. Returns the sum of the squares of the numbers of spikes that are to be expected.
    """
    places, chance, active = room(index.shape[0], np.int32), room(index.shape[0], np.float32), 0
    for j in range(index.shape[0]):
        p = value[j] * np.float32(p_max)
        places[active], chance[active] = index[j], p
        active += p >= RESOLUTION
    uniform, fired = room(active, np.float32), room(active, np.uint64)
    fill(fired, uint64(0))
    for t in range(ticks):
        fill_uniform_at(uniform, places, (t * envs + e) * inputs, keys)
        for j in range(active):
            fired[j] |= uint64(uniform[j] < chance[j]) << uint64(t)
    for j in range(active):
        bits[places[j]] = fired[j]
        count[places[j]] += np.float32(count_bits(fired[j]))
    expected = np.float32(0.0)
    for j in range(active):
        expected += chance[j] * chance[j]
    return expected * np.float32(ticks * ticks)


@jit()
def arrive(s, layer, a):
    """`axons.Axons.arrive` of agent a: the input spikes of its first layer become those that arrive.

    Where windows begin anew, only active inputs have any.
    """
    ticks, delay, count = uint64(s.late.shape[1]), s.delay[a], s.pre_count[a]
    window = (uint64(1) << ticks) - uint64(1)
    for e in range(layer.bits.shape[2]):
        bits, under_way = layer.bits[a, 0, e], s.under_way[a, e]
        for j in range(bits.shape[0] if layer.carries else s.many[a, NOW, e]):
            i = j if layer.carries else np.int64(s.index[a, NOW, e, j])
            coming = under_way[i] | (bits[i] << delay[i])
            count[i] += np.float32(count_bits(coming & window)) - np.float32(count_bits(bits[i]))
            bits[i] = coming & window
            if layer.carries:
                under_way[i] = coming >> ticks


@jit()
def relay_spikes_of(before, layer, a):
    """Let the spikes of the layer ``before`` be the input of the next, both of agent a: its bits, and their power."""
    sites, ticks = before.post.shape[2:4]
    for e in range(before.post.shape[1]):
        power = np.float32(0.0)
        for o in range(before.post_count.shape[1] // sites):
            for site in range(sites):
                count, fired = before.counts[a, e, site, o], uint64(0)
                power += count * count
                for t in range(ticks if count > 0.0 else 0):
                    fired |= uint64(before.post[a, e, site, t, o] > 0.0) << uint64(t)
                layer.bits[a, 0, e, o * sites + site] = fired
        layer.power[a, e] = power


def layer_spikes(layer: dict[str, Any]) -> Tensor:
    """Output spikes of the last window, ``(ticks, agents, envs, outputs)``, from the fields of a layer."""
    channels = layer["post_count"].shape[1] // layer["post"].shape[2]
    return torch.from_numpy(layer["post"][..., :channels]).permute(3, 0, 1, 4, 2).flatten(-2)


def pack_spikes(spikes: np.ndarray) -> np.ndarray:
    """Spikes 0 and 1, ``(agents, envs, ticks, inputs)``, as words of bits ``(agents, envs, inputs)``."""
    places = np.uint64(1) << np.arange(spikes.shape[2], dtype=np.uint64)
    return (spikes.astype(np.uint64) * places[:, None]).sum(2, dtype=np.uint64)


def unpack_spikes(bits: np.ndarray, ticks: int) -> np.ndarray:
    """Bits ``(...)`` as spikes 0 and 1, ``(ticks, ...)`` float32."""
    eights = np.ascontiguousarray(bits)[..., None].astype("<u8").view(np.uint8)
    spikes = np.unpackbits(eights, axis=-1, count=ticks, bitorder="little")
    return np.moveaxis(spikes, -1, 0).astype(np.float32)
