"""Input spikes of a window: most inputs are silent, and what is silent costs next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import uint64
from torch import Tensor

from rstdp_agents.agent.fused.memory import fill, room
from rstdp_agents.agent.fused.state import NOW
from rstdp_agents.agent.fused.words import BITS, delay_spikes, spikes_of
from rstdp_agents.base.compiled import jit
from rstdp_agents.equations.lanes import count_bits
from rstdp_agents.equations.random_numbers import RESOLUTION, fill_uniform_at


@jit()
def draw_spikes(index, value, p_max, ticks, envs, e, inputs, keys, bits, count):
    """`encoders.bernoulli` of env e of ``envs``: writes the spikes of its active inputs into bits ``(I, W)``.

    index, value ``(n,)``: the active of the ``inputs``, and their rates. keys: of `random.window_keys`. count ``(I,)``: the
    spikes are added to it. Returns the sum of the squares of the numbers of spikes that are to be expected.
    """
    places, chance, active = room(index.shape[0], np.int32), room(index.shape[0], np.float32), 0
    for j in range(index.shape[0]):
        p = value[j] * np.float32(p_max)
        places[active], chance[active] = index[j], p
        active += p >= RESOLUTION
    uniform, fired = room(active, np.float32), room(active, np.uint64)
    for w in range(bits.shape[1]):
        fill(fired, uint64(0))
        for t in range(BITS * w, min(ticks, BITS * (w + 1))):
            fill_uniform_at(uniform, places, (t * envs + e) * inputs, keys)
            for j in range(active):
                fired[j] |= uint64(uniform[j] < chance[j]) << uint64(t - BITS * w)
        for j in range(active):
            bits[places[j], w] = fired[j]
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
    delay, count = s.delay[a], s.pre_count[a]
    for e in range(layer.bits.shape[2]):
        under_way = s.under_way[a, e]
        for j in range(layer.bits.shape[3] if layer.carries else s.many[a, NOW, e]):
            i = j if layer.carries else np.int64(s.index[a, NOW, e, j])
            bits = layer.bits[a, 0, e, i]
            fired = spikes_of(bits, 0, layer.words)
            left = delay_spikes(bits, delay[i], under_way[i], s.late.shape[1])
            count[i] += np.float32(spikes_of(bits, 0, layer.words)) - np.float32(fired)
            if layer.carries:
                under_way[i] = left


@jit()
def relay_spikes_of(before, layer, a):
    """Let the spikes of the layer ``before`` be the input of the next, both of agent a: its bits, and their power."""
    sites, ticks = before.post.shape[2:4]
    for e in range(before.post.shape[1]):
        power = np.float32(0.0)
        for o in range(before.post_count.shape[1] // sites):
            for site in range(sites):
                count = before.counts[a, e, site, o]
                power += count * count
                for w in range(layer.words):
                    fired = uint64(0)
                    for t in range(BITS * w, min(ticks, BITS * (w + 1)) if count > 0.0 else 0):
                        fired |= uint64(before.post[a, e, site, t, o] > 0.0) << uint64(t - BITS * w)
                    layer.bits[a, 0, e, o * sites + site, w] = fired
        layer.power[a, e] = power


def layer_spikes(layer: dict[str, Any]) -> Tensor:
    """Output spikes of the last window, ``(ticks, agents, envs, outputs)``, from the fields of a layer."""
    channels = layer["post_count"].shape[1] // layer["post"].shape[2]
    return torch.from_numpy(layer["post"][..., :channels]).permute(3, 0, 1, 4, 2).flatten(-2)
