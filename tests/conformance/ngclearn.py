"""ngc-learn: trace STDP on a transposed convolution; channels come last, filters are not flipped."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.spiking.plasticity.trace_stdp import TraceSTDPParams, trace_stdp, trace_stdp_update
from rstdp_agents.spiking.synapses import ConvTranspose2d

from .common import Recorder
from .loader import Case

GIVEN = frozenset({"pre_spike", "post_spike", "pre_trace", "post_trace", "w0"})


def replay(case: Case) -> dict[str, Tensor]:
    """Each step: forward pass, learning, then output spikes sent back through the new weight."""
    if case.rule != "trace_stdp_deconv":
        raise AssertionError(f"{case.id}: ngc-learn has no rule {case.rule!r} here")
    p = case.params
    constants = TraceSTDPParams(
        a_plus=p["A_plus"], a_minus=p["A_minus"], x_target=p["pretrace_target"], weight_decay=p["w_decay"],
        w_max=p["w_bound"], margin=0.01,
    )  # fmt: skip
    pre, post, x, y = (_ours(case[name]) for name in ("pre_spike", "post_spike", "pre_trace", "post_trace"))
    synapse = ConvTranspose2d(
        in_channels=pre.shape[3], out_channels=post.shape[3], size=tuple(pre.shape[4:]), kernel=p["k"],
        stride=p["stride"], padding=p["padding"].lower(),
    )  # fmt: skip
    moving, out = case.has("w"), Recorder()
    w = _weight(case["w"][0] if moving else case["w0"])
    out.add(w=_filter(w))
    for t in range(len(pre)):
        now = slice(t, t + 1)
        if not moving:
            w = _weight(case["w0"])
        out.add(outputs=p["g_conduct_factor"] * _theirs(synapse.current(pre[now], w)))
        dw = trace_stdp(synapse, pre[now], post[now], x[now], y[now], constants)
        trace_stdp_update(w, dw, p["eta"], constants)
        out.add(dWeights=_filter(dw), dInputs=_theirs(synapse.backtransmit(post[now], w)))
        out.add(**{"w" if moving else "w_after": _filter(w)})
    return out.stacked()


def _ours(maps: Tensor) -> Tensor:
    """``(T, B, H, W, C)`` to ``(ticks, agents=1, envs, C, H, W)``."""
    return maps.permute(0, 1, 4, 2, 3)[:, None]


def _theirs(maps: Tensor) -> Tensor:
    """One tick of ours to ``(B, H, W, C)``."""
    return maps[0, 0].permute(0, 2, 3, 1)


def _weight(filters: Tensor) -> Tensor:
    """``(K, K, in, out)`` to ``(agents=1, in, out, K, K)`` with the taps counted from the other end."""
    return torch.flip(filters.permute(2, 3, 0, 1), (2, 3))[None].clone()


def _filter(weight: Tensor) -> Tensor:
    return torch.flip(weight[0], (2, 3)).permute(2, 3, 0, 1)
