"""The leaky integrate-and-fire neuron whose threshold rises with every spike: one tick of it."""

from __future__ import annotations

from typing import NamedTuple

from rstdp_agents.base.compiled import equation
from rstdp_agents.equations.neuron import LIFConstants, lif_tick
from rstdp_agents.equations.ops import Value, like, where
from rstdp_agents.equations.traces import trace_step


class ALIFConstants(NamedTuple):
    """What a tick computes with: the settings of `alif.ALIF` for ticks of one length."""

    lif: LIFConstants
    keep_raised: float
    """What is left after a tick of what spikes have raised the threshold by, exp(-dt / tau_threshold)."""
    threshold_jump: float


@equation
def alif_tick(v: Value, raised: Value, current: Value, threshold: Value, p: ALIFConstants) -> tuple[Value, ...]:
    """One tick of a neuron: `neuron.lif_tick` below a threshold that its spikes have raised.

        spike = v >= threshold + raised
        raised <- raised exp(-dt / tau_threshold) + threshold_jump spike

    v: membrane potential. raised: by how much its threshold is raised. current, threshold: as there. All of one shape.
    Returns spike (0 or 1), v and raised after the tick. After Bellec and others (2018).
    """
    fired, v, _ = lif_tick(v, like(0, v), current, threshold + raised, p.lif)
    spike = where(fired, like(1, v), like(0, v))
    return spike, v, trace_step(raised, spike, p.keep_raised, p.threshold_jump)
