"""Eligibility that lasts for one window, kept as the factors of its spike pairs.

A rule without an eligibility trace forgets a window's pairs when the next ones come, so its z = hebb(credit, pre) need not be
written down: the modulator scales the credit of its env, and

    dw = 1 / envs sum_envs m z  =  1 / envs hebb(m credit, pre)

is one contraction over ticks and envs together, straight into the weight. This is exact, and z has no place in memory. The credit
of a tick is what an input spike of that tick makes eligible: the kernel of `window`, turned to the side of the output spikes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.equations.traces import along_ticks
from rstdp_agents.spiking.plasticity.window import PairKernels, PairState, after_window
from rstdp_agents.spiking.synapses import Synapse


class LastWindow(NamedTuple):
    """Factors of a window's eligibility; ``ticks`` is one more where spike traces go on from window to window."""

    credit: tuple[Tensor, ...]
    """For each term of the rule, ``(agents, envs, ticks, *post)``; the gate is in it."""
    pre: Tensor
    """Input spikes, ``(agents, envs, ticks, *pre)``."""

    def tensors(self) -> dict[str, Tensor]:
        """By name, as a checkpoint holds them."""
        return {**{f"credit{i}": credit for i, credit in enumerate(self.credit)}, "pre": self.pre}


def lasts_one_window(k: PairKernels) -> bool:
    """Whether a window's pairs have factors, and the next window forgets them."""
    return k.decay_z == 0.0 and not k.rule.needs_scan


def last_init(synapse: Synapse, k: PairKernels, agents: int, envs: int, fresh: bool) -> LastWindow:
    """Nothing eligible. fresh: whether windows start at rest."""
    like, ticks = k.late, len(k.late) + (not fresh)
    credit = tuple(like.new_zeros(agents, envs, ticks, *synapse.post_shape) for _ in k.terms)
    return LastWindow(credit, like.new_zeros(agents, envs, ticks, *synapse.pre_shape))


def last_window(
    k: PairKernels, pre: Tensor, post: Tensor, state: PairState, gate: Tensor | None, fresh: bool
) -> tuple[LastWindow, PairState]:
    """What a window makes eligible, and the spike traces after it; arguments as in `window.pair_window`.

    fresh: the window starts at rest, and its traces are not kept.
    """
    if not fresh:
        pre, post = torch.cat([pre, state.x[None]]), torch.cat([post, state.y[None]])
        state = after_window(k, pre, post, state)
    rows, gated = len(pre), post if gate is None else post * gate
    credit = tuple(along_ticks(k.gain * term[:rows, :rows].T, gated).movedim(0, 2) for term in k.terms)
    return LastWindow(credit, pre.movedim(0, 2)), state


def eligible(synapse: Synapse, last: LastWindow, envs: slice) -> tuple[Tensor, ...]:
    """The eligibility z of each term in some of the envs, ``(agents, envs, *weight)``."""
    pre = last.pre[:, envs].movedim(2, 0)
    return tuple(synapse.hebb(credit[:, envs].movedim(2, 0), pre) for credit in last.credit)


def add_modulated_last(synapse: Synapse, weight: Tensor, last: LastWindow, factors: tuple[Tensor, ...]) -> None:
    """`update.add_modulated` of what `eligible` gives: added to ``weight (agents, *weight)`` in place."""
    for m, credit in zip(factors, last.credit, strict=True):
        weighed = credit * m.reshape(*m.shape, *[1] * (credit.ndim - 2))
        synapse.accumulate(weight[:, None], _as_ticks(weighed), _as_ticks(last.pre), 1.0, 1.0 / m.shape[1])


def _as_ticks(factor: Tensor) -> Tensor:
    """``(agents, envs, ticks, ...)`` as ``(ticks * envs, agents, 1, ...)``: a tick of any env adds to the same weight."""
    return factor.movedim(0, 2).transpose(0, 1).flatten(0, 1)[:, :, None]
