"""Dale's law: all synapses of a neuron have the same sign.

Neurons of even number excite, those of odd number inhibit; before a convolution channels do, so that all positions of a channel
have one sign. What comes from outside has a neuron of either.
"""

from __future__ import annotations

import torch
from torch import Tensor


def of_both_signs(rates: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Rates of inputs ``(agents, envs, n)``, of the layout ``shape``, each as those of an excitatory and an inhibitory neuron."""
    return rates.unflatten(-1, shape).repeat_interleave(2, -len(shape)).flatten(-len(shape))


def presynaptic_signs(weight: Tensor) -> Tensor:
    """Signs 1 and -1 of the presynaptic neurons of ``weight (agents, post, pre, ...)``, of a shape that broadcasts to it."""
    signs = 1.0 - 2.0 * (torch.arange(weight.shape[2], device=weight.device) % 2)
    return signs.to(weight.dtype).reshape(-1, *[1] * (weight.ndim - 3))


def by_sign(weight: Tensor, room: float | Tensor = 0.0) -> None:
    """Set weights ``(agents, post, pre, ...)`` that are further than ``room`` on the wrong side of 0 to there, in place.

    As of `three_factor.dale_bounds`, or with room `spiking_value.critic_bounds`. room: a number, or of a shape that broadcasts.
    """
    weight[:, :, ::2].clamp_(min=0.0 - room)
    weight[:, :, 1::2].clamp_(max=room)
