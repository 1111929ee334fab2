"""Inferno: amplitudes sit in the traces, signs choose the part of the update; the reward meets this step's eligibility."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rstdp_agents.equations.traces import decay, trace_set, trace_step
from rstdp_agents.spiking.plasticity.bounds import Bound, PowerBound, SharpBound, bounded_change
from rstdp_agents.spiking.plasticity.stdp import PairTerms
from rstdp_agents.spiking.plasticity.update import modulate_parts
from rstdp_agents.spiking.reductions import Reduction, add_envs
from rstdp_agents.spiking.synapses import Lateral, Linear, OneToOne

from . import inferno_homeostasis
from .common import Recorder, Traces, reduction, spikes, tick
from .inferno_delays import DelayLines
from .loader import Case

GIVEN = frozenset({"pre", "post", "reward", "delay", "target"})
CONNECTIONS = {"LinearDense": Linear, "LinearDirect": lambda n, _: OneToOne(n), "LinearLateral": Linear}


def replay(case: Case) -> dict[str, Tensor]:
    if case.rule == "linear_homeostasis":
        return inferno_homeostasis.replay(case)
    if case.rule == "stdp, mstdp, mstdpet":
        return _demonstration(case)
    if case.rule not in ("stdp", "mstdp", "mstdpet"):
        raise AssertionError(f"{case.id}: Inferno has no rule {case.rule!r} here")
    return _learn(case, case.rule, case["w"][0])


def _learn(case: Case, rule: str, weight: Tensor) -> dict[str, Tensor]:
    p, dt = case.params, case.dt
    pre, post = spikes(case, "pre"), spikes(case, "post")
    synapse = CONNECTIONS[p["connection"]](pre.shape[-1], post.shape[-1])
    reduce = reduction({"default": "mean" if rule == "stdp" else "sum"}.get(p["batch_reduction"], p["batch_reduction"]))
    upper, lower = _bounds(p.get("bounds", []))
    decays, amplitudes = (decay(p["tc_pre"], dt), decay(p["tc_post"], dt)), (abs(p["lr_post"]), abs(p["lr_pre"]))
    step = {"cumulative": trace_step, "nearest": trace_set}[p["trace_mode"]]
    w, traces, out = weight.clone()[None], Traces.zero(pre, post), Recorder()
    lines = DelayLines(case, synapse, pre.shape[2]) if case.has("delay") else None
    z = PairTerms(*[torch.zeros(1, pre.shape[2], *synapse.weight_shape, dtype=w.dtype)] * 2)
    out.add(w=w)
    for t in range(len(pre)):
        traces, terms = tick(synapse, pre[t], post[t], traces, decays, amplitudes, step)
        x = traces.x
        if lines is not None:
            terms, x = lines.tick(pre[t], post[t], traces)
        if rule == "mstdpet":
            gain = 1.0 / p["tc_elig"]
            terms = z = PairTerms(*(trace_step(e, now, decay(p["tc_elig"], dt), gain) for e, now in zip(z, terms)))
        pos, neg = _parts(case, rule, terms, t, reduce)
        dw = bounded_change(w, pos, neg, upper, lower)
        w = w + (_off_diagonal(dw) if p["connection"] == "LinearLateral" else dw)
        out.add(w=w, trace_pre=x, trace_post=traces.y, update_pos=pos, update_neg=neg)
        out.add(elig_post=z.causal, elig_pre=z.anticausal)
    return out.stacked()


def _parts(case: Case, rule: str, terms: PairTerms, t: int, reduce: Reduction) -> tuple[Tensor, Tensor]:
    """Both parts of the update; a reward per sample is reduced over the samples of its sign only (defect 7)."""
    p, envs = case.params, terms.causal.shape[1]
    m = terms.causal.new_ones(1, envs) if rule == "stdp" else p.get("scale", 1.0) * _reward(case, t, envs)
    signs = [1.0 if p[name] > 0 else -1.0 for name in ("lr_post", "lr_pre")]
    if p.get("reward_kind") != "tensor" or reduce is add_envs:
        return modulate_parts(terms, (signs[0] * m, signs[1] * m), reduce)
    rewarded = (m >= 0)[0]
    parts = []
    for raising in (True, False):
        rows = [
            (term * m.abs().reshape(1, -1, *[1] * (term.ndim - 2)))[:, rewarded == ((sign > 0) == raising)]
            for term, sign in zip(terms, signs)
        ]
        gathered = torch.cat(rows, 1)
        parts.append(reduce(gathered, 1) if gathered.shape[1] else torch.zeros_like(terms.causal[:, 0]))
    return parts[0], parts[1]


def _reward(case: Case, t: int, envs: int) -> Tensor:
    return case["reward"][t].reshape(1, -1).expand(1, envs)


def _off_diagonal(dw: Tensor) -> Tensor:
    """The source's lateral parts hold the pairs of a neuron with itself; its connection masks them. Ours never arise."""
    return dw * Lateral(dw.shape[-1]).hebb(torch.ones_like(dw[None, :, :1]), torch.ones_like(dw[None, :, :1]))[:, 0]


def _bounds(entries: list[dict[str, Any]]) -> tuple[Bound | None, Bound | None]:
    """Upper and lower bound from the names of the source's functions."""
    upper = lower = None
    for entry in entries:
        kwargs, side = entry.get("kwargs", {}), entry["side"]
        width = entry["max"] - entry["min"] if side == "full" else kwargs.get("range", 1.0)
        form = entry["fn"].removeprefix("bound_").removeprefix("upper_").removeprefix("lower_")
        if side in ("upper", "full"):
            upper = _bound(form, entry["max"], kwargs.get("upper_power", kwargs.get("power", 1.0)), width)
        if side in ("lower", "full"):
            lower = _bound(form, entry["min"], kwargs.get("lower_power", kwargs.get("power", 1.0)), width)
    return upper, lower


class SourcePower(PowerBound):
    """Past the bound the source takes the plain power, so that an even one pushes on where ours pulls back."""

    def factor(self, gap: Tensor) -> Tensor:
        even = self.exponent % 2 == 0
        return super().factor(gap.abs() if even else gap)


def _bound(form: str, limit: float, power: float, width: float) -> Bound:
    forms = {
        "power": lambda: SourcePower(limit, power), "scaled_power": lambda: SourcePower(limit, power, width),
        "multiplicative": lambda: PowerBound(limit), "scaled_multiplicative": lambda: PowerBound(limit, 1.0, width),
        "sharp": lambda: SharpBound(limit),
    }  # fmt: skip
    return forms[form]()


def _demonstration(case: Case) -> dict[str, Tensor]:
    """Three rules on one synapse; index = step, index 0 before the first."""
    p = {"trace_mode": "cumulative", **case.params}
    case = Case(**{**case.__dict__, "params": p})
    start = torch.full((1,), p["w_init"], dtype=torch.float64)
    runs = {rule: _learn(case, rule, start) for rule in ("stdp", "mstdp", "mstdpet")}
    z = runs["mstdpet"]
    return {
        **{f"w_{rule}": run["w"][1:] for rule, run in runs.items()},
        "presyn_trace": runs["mstdp"]["trace_pre"], "postsyn_trace": -runs["mstdp"]["trace_post"],
        "elig_post": z["elig_post"], "elig_pre": z["elig_pre"], "elig_trace": z["elig_post"] - z["elig_pre"],
    }  # fmt: skip
