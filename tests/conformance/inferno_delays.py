"""Inferno's two ways to learn through delays: from spikes as they arrive, or from trace and spikes looked up in the past."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rstdp_agents.spiking.plasticity.stdp import PairTerms
from rstdp_agents.spiking.synapses import Delayed, Linear, OneToOne
from rstdp_agents.spiking.synapses.delayed import delay_init, delay_window, delayed_hebb, older_taps

from .common import Traces
from .loader import Case


class DelayLines:
    """What spikes and input trace were, at the delay of every synapse."""

    def __init__(self, case: Case, synapse: Linear | OneToOne, envs: int) -> None:
        p, self.synapse = case.params, synapse
        self.line = Delayed(synapse, case["delay"][None], p["delay_max"], case.dt)
        looked_up = p["delayed"] if "delayed" in p else "N_out" not in case.axes["trace_pre"]
        tau = p["tc_pre"] if looked_up else math.inf
        self.spike_taps = older_taps(self.line.delay, self.line.lags, case.dt)
        self.trace_taps = older_taps(self.line.delay, self.line.lags, case.dt, tau)
        self.per_synapse = not looked_up
        self.spikes = self.traces = delay_init(self.line, envs)

    def tick(self, pre: Tensor, post: Tensor, traces: Traces) -> tuple[PairTerms, Tensor]:
        """Both terms of a tick, and the input trace as the source records it."""
        spikes, self.spikes = delay_window(self.line, pre[None], self.spikes)
        x, self.traces = delay_window(self.line, traces.x[None], self.traces)
        plus = delayed_hebb(self.synapse, self.trace_taps, post[None], x)
        minus = delayed_hebb(self.synapse, self.spike_taps, traces.y[None], spikes)
        return PairTerms(plus, minus), self._arrived(x[0]) if self.per_synapse else traces.x

    def _arrived(self, x: Tensor) -> Tensor:
        """Trace at every synapse, ``(agents, envs, pre, post)``; one-to-one: ``(agents, envs, neurons)``."""
        letters = "aln,abln->abn" if isinstance(self.synapse, OneToOne) else "aloi,abli->abio"
        return torch.einsum(letters, self.trace_taps, x)
