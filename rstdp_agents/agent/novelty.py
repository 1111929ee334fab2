"""Novelty: what an agent has rarely seen is worth something by itself."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.equations.critic import novelty


class Novelty:
    """A reward for states whose input neurons have rarely been active, in units of the modulator's size.

    Every input counts its activity, the mean over an agent's envs, and a state is as new as its inputs are on average, weighted
    by phi^2. In tissue: dopamine neurons respond to what is new, and their synapses from it habituate (Kakade and Dayan 2002).

        n <- n + phi / max phi

    shape: ``(agents, pre)``.
    """

    def __init__(self, shape: tuple[int, int], device: torch.device, dtype: torch.dtype) -> None:
        self.visits = torch.zeros(shape, device=device, dtype=dtype)

    def __call__(self, features: Tensor) -> Tensor:
        """How new the states of ``features (agents, envs, pre)`` are, from 0 to 1, ``(agents, envs)``; less so from now on."""
        squares = features.square()
        power = squares.sum(-1).clamp_(min=1e-9)
        new = torch.linalg.vecdot(squares, novelty(self.visits)[:, None]) / power
        self.visits += (features / features.amax(-1, keepdim=True).clamp_(min=1e-9)).mean(1)
        return new

    def learnt(self) -> dict[str, Tensor]:
        """Its state by name; all envs of an agent share it."""
        return {"novelty.visits": self.visits}
