"""BindsNET: MSTDP and MSTDPET; the reward meets the eligibility of the step before, or of this one (zero_lag)."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.equations.traces import decay, trace_step
from rstdp_agents.spiking.plasticity.update import apply_update, modulate
from rstdp_agents.spiking.synapses import Linear

from .common import Recorder, Traces, modulator, reduction, spikes, tick
from .loader import Case

GIVEN = frozenset({"pre", "post", "reward"})


def replay(case: Case) -> dict[str, Tensor]:
    if case.rule == "mstdp, mstdpet":
        return _one_synapse(case)
    if case.rule not in ("mstdp", "mstdpet"):
        raise AssertionError(f"{case.id}: BindsNET has no rule {case.rule!r} here")
    p = case.params
    return _learn(case, case["w"][0].T, with_trace=case.rule == "mstdpet", zero_lag=p["zero_lag"])


def _learn(case: Case, weight: Tensor, with_trace: bool, zero_lag: bool) -> dict[str, Tensor]:
    p, dt = case.params, case.dt
    pre, post = spikes(case, "pre"), spikes(case, "post")
    synapse = Linear(pre.shape[-1], post.shape[-1])
    reduce = reduction(p.get("reduction", "sum"))
    decays = decay(p["tc_plus"], dt), decay(p["tc_minus"], dt)
    lr = (p["nu"][0] if isinstance(p["nu"], list) else p["nu"]) * (dt if with_trace else 1.0)
    w = weight.clone()[None]
    traces, zeta = Traces.zero(pre, post), torch.zeros(1, pre.shape[2], *synapse.weight_shape, dtype=w.dtype)
    z, out = zeta, Recorder()
    out.add(w=w[0].T)
    for t in range(len(pre)):
        traces, terms = tick(synapse, pre[t], post[t], traces, decays, (p["a_plus"], p["a_minus"]))
        before, zeta = zeta, terms.causal + terms.anticausal
        eligible = zeta if zero_lag else before
        if with_trace:
            z = trace_step(z, eligible, decay(p["tc_e_trace"], dt), 1.0 / p["tc_e_trace"])
        m = modulator(case, synapse, case["reward"][t], pre.shape[2])
        w.add_(lr * modulate((z if with_trace else eligible,), (m,), reduce))
        apply_update(w, -p.get("weight_decay", 0.0) * w, p.get("wmin", -torch.inf), p.get("wmax", torch.inf))
        out.add(w=w[0].T, trace_pre=traces.x, trace_post=traces.y, eligibility=zeta.mT, elig_trace=z.mT)
    return out.stacked()


def _one_synapse(case: Case) -> dict[str, Tensor]:
    """Index = step, index 0 before the first; one weight per rule and lag."""
    start = torch.full((1, 1), case.params["w_init"], dtype=torch.float64)
    return {
        f"w_{rule}_{lag}": _learn(case, start, rule == "mstdpet", lag == "zero_lag")["w"][1:]
        for rule in ("mstdp", "mstdpet") for lag in ("lagged", "zero_lag")
    }  # fmt: skip
