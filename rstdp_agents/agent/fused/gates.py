"""What gates the spike pairs of each layer, compiled: what the agent did, and what of it comes back to hidden neurons."""

from __future__ import annotations

import numpy as np

from rstdp_agents.agent.fused.memory import copy, fill, flat, room
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.equations.lanes import WIDTH, load, splat, store, total
from rstdp_agents.spiking.network import LEAST


@jit(fastmath=FAST)
def gate_of(s, number, a, gate, own):
    """The gate ``own (S, P)`` of layer ``number`` of agent a in an env, from that of the output, ``gate (outputs,)``."""
    layer = s.layers[number]
    if not s.is_deep or number == len(s.layers) - 1:
        fill(flat(own), 0.0)
        copy(gate, own[0, : gate.shape[0]])
    elif layer.feedback.shape[1] > 0:
        fed_back(layer, a, gate, own)
    elif number == len(s.layers) - 2 and s.output.origin.shape[1] > 0:
        mirrored(s.output, a, gate, own)
    else:
        fill(flat(own), 1.0)


@jit(fastmath=FAST)
def fed_back(layer, a, gate, own):
    """`network.fed_back` of agent a in an env; arguments as of `gate_of`."""
    gates = flat(own)
    fill(gates, 0.0)
    for k in range(layer.feedback.shape[1]):
        weight = flat(layer.feedback[a, k])
        for o in range(0, gates.shape[0], WIDTH):
            store(gates, o, load(gates, o) + load(weight, o) * gate[k])


@jit(fastmath=FAST)
def mirrored(output, a, gate, own):
    """`network.mirrored` of agent a in an env, for the layer before the ``output``; other arguments as of `gate_of`."""
    weight, origin, padded, sites = flat(output.weight[a]), flat(output.origin[a]), output.weight.shape[2], own.shape[0]
    of_output = room(padded, np.float32)
    fill(of_output, 0.0)
    copy(gate, of_output[: gate.shape[0]])
    fill(flat(own), 0.0)
    for j in range(output.weight.shape[1]):
        found, square = splat(0.0), splat(0.0)
        for o in range(0, padded, WIDTH):
            grown = load(weight, j * padded + o) - load(origin, j * padded + o)
            found = found + grown * load(of_output, o)
            square = square + grown * grown
        own[j % sites, j // sites] = total(found) / max(np.sqrt(total(square)), np.float32(LEAST))
