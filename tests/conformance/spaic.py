"""SPAIC: RSTDP and RSTDPET learn with the eligibility of the step before, RewardSwitchSTDP with this step's."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.equations.three_factor import switch_factor
from rstdp_agents.equations.traces import decay, trace_set, trace_step
from rstdp_agents.spiking.plasticity.stdp import eligibility_gain
from rstdp_agents.spiking.plasticity.update import apply_update, modulate
from rstdp_agents.spiking.reductions import add_envs, mean_envs
from rstdp_agents.spiking.synapses import Linear

from .common import Recorder, Traces, modulator, spikes, tick
from .loader import Case

GIVEN = frozenset({"pre", "post", "reward"})


def replay(case: Case) -> dict[str, Tensor]:
    if case.rule == "rstdp, rstdpet, reward_switch_stdp":
        return _one_synapse(case)
    if case.rule == "reward_switch_stdp":
        return _switch(case, case.params, case["w"][0])
    if case.rule not in ("rstdp", "rstdpet"):
        raise AssertionError(f"{case.id}: SPAIC has no rule {case.rule!r} here")
    return _learn(case, case["w"][0], with_trace=case.rule == "rstdpet")


def _flat(case: Case) -> tuple[Tensor, Tensor, Linear]:
    """Spikes with feature maps flattened, and the connection that fits them."""
    pre, post = (spikes(case, name).flatten(3) for name in ("pre", "post"))
    return pre, post, Linear(pre.shape[-1], post.shape[-1])


def _learn(case: Case, weight: Tensor, with_trace: bool) -> dict[str, Tensor]:
    p, dt = case.params, case.dt
    pre, post, synapse = _flat(case)
    decays = decay(p["tau_plus"], dt), decay(p["tau_minus"], dt)
    w, out = weight.clone()[None], Recorder()
    traces, eligible = Traces.zero(pre, post), torch.zeros(1, pre.shape[2], *synapse.weight_shape, dtype=w.dtype)
    out.add(w=w)
    for t in range(len(pre)):
        m = modulator(case, synapse, case["reward"][t], pre.shape[2])
        w = w + p["lr"] * (dt if with_trace else 1.0) * modulate((eligible,), (m,), add_envs)
        traces, terms = tick(synapse, pre[t], post[t], traces, decays, (p["A_plus"], p["A_minus"]))
        zeta = terms.causal + terms.anticausal
        if with_trace:
            gain = eligibility_gain("dt/tau", p["tau_e"], dt)
            eligible = trace_step(eligible, zeta, decay(p["tau_e_trace"], dt), gain)
        else:
            eligible = zeta
        out.add(w=w, trace_pre=traces.x, trace_post=traces.y, eligibility=zeta.sum(1), elig_trace=eligible.sum(1))
    return out.stacked()


def _switch(case: Case, p: dict[str, float], weight: Tensor) -> dict[str, Tensor]:
    pre, post, synapse = _flat(case)
    w, traces, out = weight.clone()[None], Traces.zero(pre, post), Recorder()
    out.add(w=w)
    for t in range(len(pre)):
        traces, terms = tick(synapse, pre[t], post[t], traces, (p["pre_decay"], p["post_decay"]), step=trace_set)
        m = modulator(case, synapse, case["reward"][t], pre.shape[2])
        at_post = switch_factor(m, p["Apost_pos"], p["Apost_neg"], zero_punishes=True)
        at_pre = switch_factor(m, p["Apre_pos"], p["Apre_neg"], zero_punishes=True)
        apply_update(w, modulate(terms, (at_post, at_pre), mean_envs), *case.params.get("clamp", p["clamp"]))
        out.add(w=w, trace_pre=traces.x, trace_post=traces.y)
    return out.stacked()


def _one_synapse(case: Case) -> dict[str, Tensor]:
    """Three rules on one synapse; each array carries its rule's name."""
    runs = {
        "rstdp": _learn(case, case["rstdp_w"][:1, None], with_trace=False),
        "rstdpet": _learn(case, case["rstdpet_w"][:1, None], with_trace=True),
        "switch": _switch(case, case.params["switch"], case["switch_w"][:1, None]),
    }
    return {f"{rule}_{name}": array for rule, run in runs.items() for name, array in run.items()}
