"""What comes of a window of simulation."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Window(NamedTuple):
    """What a population did in one window."""

    spikes: tuple[Tensor, ...]
    """Of the input and of every layer, ``(ticks, agents, envs, neurons)``."""
    rates: Tensor
    """What the action is decided by, ``(agents, envs, groups)``, spikes per neuron and tick."""
    choice: Tensor
    """Uniform numbers ``(agents, envs, numbers)`` left for drawing the action."""
