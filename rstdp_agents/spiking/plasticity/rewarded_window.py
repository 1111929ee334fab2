"""Reward at any tick of a window: every reward meets the eligibility of its own tick, the weights change at the end."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.traces import powers, trace_set_window, trace_window
from rstdp_agents.spiking.plasticity.base import PairRule
from rstdp_agents.spiking.plasticity.window import PairState
from rstdp_agents.spiking.reductions import Reduction, mean_envs
from rstdp_agents.spiking.synapses import Synapse


def rewarded_window(
    synapse: Synapse, rule: PairRule, pre: Tensor, post: Tensor, reward: Tensor, state: PairState, dt: float,
    *, lagged: bool, reduce: Reduction = mean_envs,
) -> tuple[Tensor, PairState]:  # fmt: skip
    """Change of the weights (before the learning rate) ``(agents, *weight)``, and the state after the window.

    sum_t m(t) z(t)  =  gain sum_s zeta(s) ahead(s)  +  keep ahead(0) z_before,   ahead(s) = sum_{t >= s} keep^(t-s) m(t),

    where z(t) holds the pairs of its own tick and ``keep`` is the decay of z per tick (0 without an eligibility trace).
    lagged: the reward meets z(t - dt) instead, which takes ahead(s + dt) in the sum and ahead(0) z_before.
    So the change of a window is one contraction too, with the reward as a trace that runs back in time. Windows of one
    tick are `online.online_tick`; longer ones differ only in that the weights stand still.
    pre: ``(ticks, agents, envs, *pre)``. post: ``(ticks, agents, envs, *post)``. reward: ``(ticks, agents, envs)``.
    Writes the eligibility in place.
    """
    ticks, agents, envs = pre.shape[:3]
    validate.axes("reward", reward, ticks=ticks, agents=agents, envs=envs)
    validate.require(rule.f_post is None and rule.f_pre is None, "weight dependence needs `window.pair_window`")
    traces = trace_set_window if rule.on_spike == "set" else trace_window
    decays, keep = rule.trace_decays(dt), rule.decays(1, dt)[1]
    x, y = traces(state.x, pre, decays[0]), traces(state.y, post, decays[1])
    first = 0 if keep else ticks - 1
    late = powers(keep, 0, ticks - first).flip(0).to(pre)

    def pairs(amplitudes: tuple[float, float], weight: Tensor, start: int) -> Tensor:
        """Sum of gain weight(s) zeta(s) over ticks s from ``start`` on; ``weight``: leading axes of the spikes."""
        factor = rule.gain(dt) * weight.reshape(*weight.shape, *[1] * (post.ndim - weight.ndim))
        sides = [(amplitudes[0], post, x), (amplitudes[1], y, pre)]
        after, before = zip(*[(a * factor * left[start:], right[start:]) for a, left, right in sides if a])
        return synapse.hebb(torch.cat(after), torch.cat(before))

    change = torch.zeros_like(state.z[0])
    for z, amplitudes, m in zip(state.z, rule.terms, rule.factors(reward), strict=True):
        ahead = trace_window(torch.zeros_like(m[0]), m.flip(0), keep).flip(0)
        left = (ahead[0] if lagged else keep * ahead[0]).reshape(agents, envs, *[1] * (z.ndim - 2))
        met = torch.cat([ahead[1:], torch.zeros_like(ahead[:1])]) if lagged else ahead
        change += pairs(amplitudes, met, 0) + left * z
        z.mul_(keep**ticks).add_(pairs(amplitudes, late, first))
    return reduce(change, 1), PairState(x[-1], y[-1], state.z)
