"""The scan over the ticks of a window, compiled: for the torch path, whose other operations take whole windows."""

from __future__ import annotations

import numpy as np

from rstdp_agents.base.compiled import entry, jit
from rstdp_agents.equations.neuron import inhibited, lif_tick


@jit(inline="always")
def inhibit(spikes, v, p):
    """`neuron.inhibited` for every neuron, in place; spikes, v ``(layers, neurons)``."""
    for row in range(spikes.shape[0]):
        of_layer = spikes[row].sum()
        for i in range(spikes.shape[1]):
            v[row, i] = inhibited(v[row, i], spikes[row, i], of_layer, p)


@entry(nogil=True)
def scan(current, threshold, v, refractory, p, layer):
    """`neurons.lif_window` on arrays of one type: current, threshold ``(T, N)``; v, refractory ``(N,)`` before the window.

    p: `neuron.LIFConstants`, in the type of the arrays. layer: the number of neurons in a row that inhibit each other.
    Returns spikes ``(T, N)``, and v and refractory after it.
    """
    spikes, v, refractory = np.empty(current.shape, v.dtype), v.copy(), refractory.copy()
    for t in range(spikes.shape[0]):
        drive, level, out = current[t], threshold[t], spikes[t]
        for i in range(out.shape[0]):
            out[i], v[i], refractory[i] = lif_tick(v[i], refractory[i], drive[i], level[i], p)
        if p.lateral_inhibition > 0:
            inhibit(out.reshape(-1, layer), v.reshape(-1, layer), p)
    return spikes, v, refractory
