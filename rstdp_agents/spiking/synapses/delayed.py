"""Axonal delays, one per synapse, for any synapse.

A delay line turns each presynaptic neuron into one copy per lag, `lags` ticks deep; the synapse reads its copies with the
interpolation weights ("taps") of its delay. So a delayed synapse is an ordinary one whose presynaptic layer has an axis
of lags in front: rules, traces and windows need to know nothing of delays. The line is the only thing with a memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.traces import decay
from rstdp_agents.spiking.synapses.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Delayed(Geometry):
    """``synapse`` with spikes that arrive late, read between ticks by linear interpolation.

    Its presynaptic layer is the output ``(ticks, agents, envs, lags, *pre)`` of `delay_window`; post and weight are those
    of ``synapse``. Write into ``delay`` to train it: what is read next follows.
    """

    synapse: Geometry
    """The synapse without delays."""
    delay: Tensor
    """Delay of every synapse ``(agents, *weight)`` (ms), from 0 to ``max_delay``."""
    max_delay: float
    """Longest delay that the buffer holds (ms)."""
    dt: float
    """Length of a tick (ms)."""

    def __post_init__(self) -> None:
        validate.not_negative("max_delay", self.max_delay, "ms")
        validate.positive("dt", self.dt, "ms")
        validate.axes("delay", self.delay, agents=None, **self.weight_axes)
        self._refuse_unreachable()

    @property
    def lags(self) -> int:
        """Number of delays, in whole ticks from 0 on, that cover all up to ``max_delay``."""
        return math.ceil(self.max_delay / self.dt - 1e-6) + 1

    @property
    def taps(self) -> Tensor:
        """`linear_taps` of the delays as they are now; ``ValueError`` if one is negative or beyond the buffer."""
        self._refuse_unreachable()
        return linear_taps(self.delay, self.lags, self.dt)

    @property
    def pre_axes(self) -> dict[str, int]:
        return {"lags": self.lags, **self.synapse.pre_axes}

    @property
    def post_axes(self) -> dict[str, int]:
        return self.synapse.post_axes

    @property
    def weight_axes(self) -> dict[str, int]:
        return self.synapse.weight_axes

    def current(self, pre: Tensor, weight: Tensor) -> Tensor:
        """Current of the spikes that have arrived; shapes as in `Synapse.current`."""
        self.check_current(pre, weight)
        return delayed_current(self.synapse, self.taps, pre, weight)

    def hebb(self, post: Tensor, pre: Tensor) -> Tensor:
        """Correlation with what has arrived; shapes as in `Synapse.hebb`."""
        self.check_hebb(post, pre)
        return delayed_hebb(self.synapse, self.taps, post, pre)

    def check_current(self, pre: Tensor, weight: Tensor) -> None:
        super().check_current(pre, weight)
        validate.axes("delay", self.delay, agents=pre.shape[1], **self.weight_axes)

    def check_hebb(self, post: Tensor, pre: Tensor) -> None:
        super().check_hebb(post, pre)
        validate.axes("delay", self.delay, agents=pre.shape[1], **self.weight_axes)

    def _refuse_unreachable(self) -> None:
        low, high = (bound.item() for bound in self.delay.aminmax())
        validate.not_negative("delay", low, "ms")
        validate.require(
            high <= self.max_delay * (1 + 1e-6),
            f"`delay` must be at most `max_delay` = {self.max_delay} ms, the length of the buffer; received {high} ms",
        )


class DelayState(NamedTuple):
    """What a delay line holds between windows."""

    history: Tensor
    """The last ``lags - 1`` ticks before the window, oldest first, ``(agents, envs, lags - 1, *pre)``."""


def delay_init(synapse: Delayed, envs: int) -> DelayState:
    """A delay line in which nothing is under way."""
    shape = (synapse.delay.shape[0], envs, synapse.lags - 1, *synapse.synapse.pre_shape)
    return DelayState(synapse.delay.new_zeros(shape))


def delay_window(synapse: Delayed, pre: Tensor, state: DelayState) -> tuple[Tensor, DelayState]:
    """What a window of activity, and what was under way before it, is at every lag.

    pre: ``(ticks, agents, envs, *pre)``, spikes or any other value of the neurons, such as a trace.
    Returns ``(ticks, agents, envs, lags, *pre)``, where lag k at tick t is ``pre`` at tick t - k, and the line after it.
    """
    agents, envs, depth = state.history.shape[:3]
    validate.axes("pre", pre, ticks=None, agents=agents, envs=envs, **synapse.synapse.pre_axes)
    ticks = torch.cat([state.history.movedim(2, 0), pre])
    lines = ticks.unfold(0, depth + 1, 1).movedim(-1, 3).flip(3)
    return lines, DelayState(ticks[len(pre) :].movedim(0, 2).contiguous())


def linear_taps(delay: Tensor, lags: int, dt: float) -> Tensor:
    """Weight of each lag in the value of ``delay`` ms ago, by linear interpolation between ticks of ``dt`` ms.

    delay: ``(agents, *weight)``. Returns ``(agents, lags, *weight)``; the weights of a synapse sum to 1.
    """
    return (1 - (delay[:, None] / dt - _lag_axis(delay, lags)).abs()).clamp_(min=0)


def older_taps(delay: Tensor, lags: int, dt: float, tau: float = math.inf) -> Tensor:
    """Weight of each lag when a value between two ticks is the older one, decayed with ``tau`` (ms) up to the delay.

    That is how an exponential trace looks between ticks; with the default ``tau`` of infinity the older value stands as it
    was, which is how Inferno reads spikes. A delay within 1e-4 ticks of a tick reads that tick. Shapes as in `linear_taps`.
    """
    ticks = delay[:, None] / dt
    older = (ticks - 1e-4).ceil()
    return (_lag_axis(delay, lags) == older) * decay(tau, dt) ** (older - ticks).clamp(min=0)


def delayed_current(synapse: Geometry, taps: Tensor, lines: Tensor, weight: Tensor) -> Tensor:
    """Current through ``synapse`` of delay lines read with ``taps``.

    taps: ``(agents, lags, *weight)``; lines: ``(ticks, agents, envs, lags, *pre)``; weight: ``(agents, *weight)``.
    Every lag is a synapse of its own, with the weight times its tap, and stands as one more agent in a single call.
    """
    current = synapse.current(_lags_as_agents(lines), (taps * weight[:, None]).flatten(0, 1))
    return current.unflatten(1, taps.shape[:2]).sum(2)


def delayed_hebb(synapse: Geometry, taps: Tensor, post: Tensor, lines: Tensor) -> Tensor:
    """Derivative of ``sum(post * delayed_current(synapse, taps, lines, weight))`` in the weight, per agent and env.

    post: ``(ticks, agents, envs, *post)``; the others as in `delayed_current`. Returns ``(agents, envs, *weight)``.
    """
    every_lag = post[:, :, None].expand(*post.shape[:2], taps.shape[1], *post.shape[2:]).flatten(1, 2)
    hebb = synapse.hebb(every_lag, _lags_as_agents(lines)).unflatten(0, taps.shape[:2])
    return hebb.mul_(taps[:, :, None]).sum(1)


def _lags_as_agents(lines: Tensor) -> Tensor:
    return lines.transpose(2, 3).flatten(1, 2)


def _lag_axis(delay: Tensor, lags: int) -> Tensor:
    return torch.arange(lags, device=delay.device, dtype=delay.dtype).reshape(-1, *[1] * (delay.ndim - 1))
