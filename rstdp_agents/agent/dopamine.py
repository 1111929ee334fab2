"""Dopamine: what an agent's synapses feel of the modulator, which does not come and go within an env step."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.agent.modulators import ModulatorConfig
from rstdp_agents.equations.critic import dopamine_share, dopamine_step


class Dopamine:
    """From the modulator m of every env step to its level in the tissue, `critic.dopamine_step`; m itself if `tau_dopamine` is 0.

    A level is of an episode: the time between two is long enough for it to return to its baseline. window: length of an env
    step (ms). In tissue: diffusion and uptake, some 200 ms (Izhikevich 2007).
    """

    def __init__(
        self, p: ModulatorConfig, window: float, shape: tuple[int, int], device: torch.device, dtype: torch.dtype
    ) -> None:
        self.share = dopamine_share(p.tau_dopamine, window)
        self.level = torch.zeros(shape, device=device, dtype=dtype)
        """Above the baseline, ``(agents, envs)``."""

    def __call__(self, m: Tensor) -> Tensor:
        """Level for the modulator ``m (agents, envs)`` of an env step."""
        felt = dopamine_step(self.level, m, self.share)
        self.level.copy_(felt)
        return felt

    def reset(self, done: Tensor) -> None:
        """Back to the baseline in the envs where ``done (agents, envs)`` bool."""
        self.level[done] = 0.0

    def tensors(self) -> dict[str, Tensor]:
        """Its state by name, held for every env."""
        return {"dopamine.level": self.level}
