"""SpikingJelly: weight-dependent STDP (Euler traces), MSTDP and MSTDPET (exponential traces, reward meets the pairs before)."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.equations.traces import decay, euler_decay, trace_step
from rstdp_agents.spiking.plasticity.dependence import Clamp, Constant, Dependence, Identity, Power, PowerUpper
from rstdp_agents.spiking.plasticity.stdp import coincidence
from rstdp_agents.spiking.plasticity.update import modulate
from rstdp_agents.spiking.reductions import add_envs
from rstdp_agents.spiking.synapses import Conv1d, Conv2d, Linear, Synapse
from rstdp_agents.spiking.synapses.conv import Conv

from .common import Recorder, Traces, spikes, tick
from .loader import Case

GIVEN = frozenset({"pre", "post", "reward"})


def replay(case: Case) -> dict[str, Tensor]:
    p = case.params
    if case.rule == "stdp and mstdp":
        return _hand_made(case)
    if case.rule not in ("stdp", "mstdp", "mstdpet"):
        raise AssertionError(f"{case.id}: SpikingJelly has no rule {case.rule!r} here")
    if case.rule == "stdp" and p.get("step_mode") == "m":
        return _sequences(case)
    if case.rule == "stdp" and "layer" in p:
        return _multi_step(case)
    if "step_mode" not in p:
        return _single_steps(case)
    return _stdp_learner(case) if case.rule == "stdp" else _reward_learner(case)


def _dependence(f: dict) -> Dependence:
    kinds = {
        "identity": lambda: Identity(), "constant": lambda: Constant(f["c"]), "power": lambda: Power(f["a"], f["mu"]),
        "power_upper": lambda: PowerUpper(f["wmax"], f["a"], f["mu"]), "clamp": lambda: Clamp(f["lo"], f["hi"]),
    }  # fmt: skip
    return kinds[f["kind"]]()


class Stepper:
    """The traces of one run and what each step makes of them."""

    def __init__(self, case: Case, synapse: Synapse, pre: Tensor, post: Tensor, form: str = "") -> None:
        p = case.params
        factor = euler_decay if (form or case.rule) == "stdp" else decay
        self.decays = factor(p["tau_pre"], case.dt), factor(p["tau_post"], case.dt)
        self.f_post, self.f_pre = _dependence(p["f_post"]), _dependence(p["f_pre"])
        self.synapse = synapse
        self.fresh = Traces(
            torch.full_like(pre[0], p.get("trace_pre0") or 0.0), torch.full_like(post[0], p.get("trace_post0") or 0.0)
        )
        self.traces = self.fresh

    def reset(self) -> None:
        self.traces = self.fresh

    def __call__(self, pre: Tensor, post: Tensor, weight: Tensor) -> Tensor:
        self.traces, terms = tick(self.synapse, pre, post, self.traces, self.decays)
        return coincidence(terms, weight, self.f_post, self.f_pre)


def _synapse(case: Case, pre: Tensor, post: Tensor) -> Synapse:
    """The layer that fits the spikes; convolutions are told by their kernel."""
    p, space = case.params, tuple(pre.shape[4:])
    if "kernel" not in p:
        return Linear(pre.shape[-1], post.shape[-1])
    kind = {1: Conv1d, 2: Conv2d}[len(space)]
    options = {name: _as_sizes(p[name]) for name in ("stride", "padding", "dilation") if name in p}
    return kind(
        in_channels=pre.shape[3], out_channels=post.shape[3], size=space, kernel=_as_sizes(p["kernel"]),
        groups=p.get("groups", 1), padding_mode=p.get("padding_mode", "zeros"), **options,
    )  # fmt: skip


def _as_sizes(value: int | str | list[int]) -> int | str | tuple[int, ...]:
    return tuple(value) if isinstance(value, list) else value


def _padded(synapse: Synapse, trace: Tensor) -> Tensor:
    """The recorded input trace has the padded size: ours, padded as the layer pads its input."""
    return synapse.padded(trace[None])[0] if isinstance(synapse, Conv) else trace


def _single_steps(case: Case) -> dict[str, Tensor]:
    pre, post = spikes(case, "pre"), spikes(case, "post")
    moving = case.axes["w"][0] == "T+1"
    w = (case["w"][0] if moving else case["w"]).clone()[None]
    step, out = Stepper(case, _synapse(case, pre, post), pre, post), Recorder()
    out.add(w=w)
    for x, y in zip(pre, post):
        zeta = step(x, y, w)
        dw = add_envs(zeta, 1)
        if moving:
            w = w + case.params["lr"] * dw
            out.add(w=w)
        trace_pre = _padded(step.synapse, step.traces.x)
        out.add(delta_w=dw, eligibility=zeta, trace_pre=trace_pre, trace_post=step.traces.y)
    return out.stacked()


def _multi_step(case: Case) -> dict[str, Tensor]:
    """Several calls of a whole sequence each, at one weight; the traces go on from call to call."""
    w, out = case["w"][None], Recorder()
    calls = list(zip(case["pre"][:, :, None], case["post"][:, :, None]))
    step = Stepper(case, _synapse(case, *calls[0]), *calls[0])
    for pre, post in calls:
        dw = sum(add_envs(step(x, y, w), 1) for x, y in zip(pre, post))
        out.add(delta_w=dw, trace_pre=_padded(step.synapse, step.traces.x), trace_post=step.traces.y)
    return {"w": w, **out.stacked()}


def _stdp_learner(case: Case) -> dict[str, Tensor]:
    """Each call takes the passes buffered since the last one, at one weight."""
    p, pre, post = case.params, spikes(case, "pre"), spikes(case, "post")
    w, out, t = case["w"][0].clone()[None], Recorder(), 0
    step = Stepper(case, _synapse(case, pre, post), pre, post)
    out.add(w=w)
    for call in p["calls"]:
        passes = range(t, t := t + call["passes"])
        dw = call["scale"] * sum(add_envs(step(pre[i], post[i], w), 1) for i in passes)
        w = w + p["lr"] * dw
        update = -dw if p["on_grad"] else dw
        out.add(w=w, update=update, trace_pre=_padded(step.synapse, step.traces.x), trace_post=step.traces.y)
    return out.stacked()


def _sequences(case: Case) -> dict[str, Tensor]:
    """An integrate-and-fire layer learns after every sequence; its own spikes are made here."""
    p, w, out = case.params, case["w"][0].clone()[None], Recorder()
    pre = case["pre"][:, :, None]
    synapse = Linear(pre.shape[-1], w.shape[1])
    v = torch.zeros(*pre.shape[2:-1], synapse.post, dtype=w.dtype)
    step = Stepper(case, synapse, pre[0], v[None])
    out.add(w=w)
    for index, sequence in enumerate(pre):
        dw, fired = torch.zeros_like(w), []
        for current, x in zip(synapse.current(sequence, w), sequence):
            v = v + current
            post = (v >= 1.0).to(v)
            v = v * (1 - post)
            dw = dw + p["scale"] * add_envs(step(x, post, w), 1)
            fired.append(post)
        w = (w + p["lr"] * dw).clamp(*p["clamp"])
        out.add(
            w=w,
            delta_w=dw,
            trace_pre=_padded(step.synapse, step.traces.x),
            trace_post=step.traces.y,
            post=torch.stack(fired),
        )
        if index == p["reset_after_sequence"]:
            step.reset()
            v = torch.zeros_like(v)
    return out.stacked()


def _reward_learner(case: Case) -> dict[str, Tensor]:
    """MSTDP and MSTDPET: the reward of a call multiplies the eligibility left before each of its passes."""
    p, pre, post = case.params, spikes(case, "pre"), spikes(case, "post")
    w, out, t = case["w"][0].clone()[None], Recorder(), 0
    step = Stepper(case, _synapse(case, pre, post), pre, post)
    zeta = torch.zeros(1, pre.shape[2], *w.shape[1:], dtype=w.dtype)
    z, pending = zeta, torch.zeros_like(w)
    two_calls = "step after odd calls" in p["optimizer"]
    out.add(w=w)
    for call, reward in enumerate(case["reward"]):
        m = reward.reshape(1, -1).expand(1, pre.shape[2])
        dw = torch.zeros_like(w)
        for i in range(t, t := t + p["passes_per_call"]):
            if case.rule == "mstdpet":
                z = trace_step(z, zeta, decay(p["tau_trace"], case.dt), 1.0 / p["tau_trace"])
            dw = dw + modulate((z if case.rule == "mstdpet" else zeta,), (m,), add_envs)
            zeta = step(pre[i], post[i], w)
        dw = dw * p["scale_odd_calls" if call % 2 else "scale_even_calls"]
        pending = pending + dw if two_calls and call % 2 else dw
        if not two_calls or call % 2:
            w = w + p["lr"] * pending
        out.add(w=w, update=-pending if p["on_grad"] else dw, eligibility=zeta, elig_trace=z)
        out.add(trace_pre=_padded(step.synapse, step.traces.x), trace_post=step.traces.y)
        if call == p["reset_after_call"]:
            step.reset()
            z = torch.zeros_like(z)
    return out.stacked()


def _hand_made(case: Case) -> dict[str, Tensor]:
    """One synapse, spikes at chosen steps, both trace forms."""
    pre, post = spikes(case, "pre"), spikes(case, "post")
    w, out = torch.ones(1, 1, 1, dtype=torch.float64), Recorder()
    for form, value in (("stdp", "delta_w"), ("mstdp", "eligibility")):
        step = Stepper(case, Linear(1, 1), pre, post, form)
        for x, y in zip(pre, post):
            out.add(**{f"{form}_{value}": step(x, y, w)})
            out.add(**{f"{form}_trace_pre": step.traces.x, f"{form}_trace_post": step.traces.y})
    return out.stacked()
