"""From eligibility and third factor to the weight: the only place where reward writes a weight."""

from __future__ import annotations

from torch import Tensor


def modulate(z: tuple[Tensor, ...], factors: tuple[Tensor, ...]) -> Tensor:
    """Three-factor update of each agent:  mean over envs of  sum_halves factor * z.

    z: ``(agents, envs, *weight)`` per half. factors: ``(agents, envs)`` per half. Returns ``(agents, *weight)``.
    """
    agents, envs = z[0].shape[:2]
    shares = [(m[:, None] @ e.reshape(agents, envs, -1))[:, 0] for m, e in zip(factors, z, strict=True)]
    return sum(shares[1:], shares[0]).div_(envs).reshape(agents, *z[0].shape[2:])


def apply_update(weight: Tensor, dw: Tensor, w_min: float, w_max: float) -> None:
    """Add ``dw`` to ``weight`` in place and keep every weight within the hard bounds [w_min, w_max]."""
    weight.add_(dw).clamp_(w_min, w_max)
