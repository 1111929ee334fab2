"""The scan over the ticks of a window, compiled: for the torch path, whose other operations take whole windows."""

from __future__ import annotations

import numpy as np

from rstdp_agents.base.compiled import entry, jit


@jit(inline="always")
def inhibit(spikes, v, inhibition):
    """Lower every potential ``v (layers, neurons)`` by ``inhibition`` for each spike of the other neurons of its layer."""
    for row in range(spikes.shape[0]):
        count = spikes[row].sum()
        for i in range(spikes.shape[1]):
            v[row, i] -= inhibition * (count - spikes[row, i])


@entry(nogil=True)
def scan(current, threshold, v, refractory, decay, v_rest, v_reset, refractory_ticks, inhibition, layer):
    """`neurons.lif_window` on arrays of one type: current, threshold ``(T, N)``; v, refractory ``(N,)`` before the window.

    layer: the number of neurons in a row that inhibit each other.
    Returns spikes ``(T, N)``, and v and refractory after it.
    """
    spikes, v, refractory = np.empty(current.shape, v.dtype), v.copy(), refractory.copy()
    number = v.dtype.type  # plain numbers would make it compute in double precision
    keep, leak, reset = number(decay), number(v_rest * (1.0 - decay)), number(v_reset)
    blocked, one, none = number(refractory_ticks), number(1), number(0)
    for t in range(spikes.shape[0]):
        drive, level, out = current[t], threshold[t], spikes[t]
        for i in range(out.shape[0]):
            potential, left = drive[i] + leak + keep * v[i], refractory[i] - one
            fires = (potential >= level[i]) & (left < none)
            out[i] = one if fires else none
            v[i] = reset if fires else potential
            refractory[i] = blocked if fires else (left if left > none else none)
        if inhibition > 0.0:
            inhibit(out.reshape(-1, layer), v.reshape(-1, layer), number(inhibition))
    return spikes, v, refractory
