"""Dopamine: what an agent's synapses feel of the modulator, said by neurons and not gone with the env step."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.agent.modulators import ModulatorConstants
from rstdp_agents.equations.dopamine import dopamine_chance, dopamine_said, dopamine_step
from rstdp_agents.spiking.agent_random import AgentRandom


class Dopamine:
    """From the modulator m of every env step to its level in the tissue.

    The level follows m (`dopamine.dopamine_step`), or is m if `tau_dopamine` is 0; with `dopamine_neurons`, m is what these fire
    for as long as an env step lasts (`dopamine.dopamine_chance`). A level is of an episode: the time between two is long enough
    for it to return to its baseline. used: random numbers that an env takes of its window. In tissue: neurons of the
    midbrain, which fire at about 5 Hz; diffusion and uptake, some 200 ms (Izhikevich 2007).
    """

    def __init__(
        self,
        p: ModulatorConstants,
        random: AgentRandom,
        used: int,
        shape: tuple[int, int],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.p, self.random, self.used = p, random, used
        self.level = torch.zeros(shape, device=device, dtype=dtype)
        """Above the baseline, ``(agents, envs)``."""

    def __call__(self, m: Tensor, restarted: Tensor | None = None) -> Tensor:
        """Level for the modulator ``m (agents, envs)`` of an env step; ``restarted``: bool, envs that took no action."""
        if self.p.dopamine_draws:
            m = self._said(m)
            if restarted is not None:
                m = m.masked_fill(restarted, 0.0)
        felt = dopamine_step(self.level, m, self.p.dopamine_share)
        self.level.copy_(felt)
        return felt

    def _said(self, m: Tensor) -> Tensor:
        draws = self.p.dopamine_draws
        uniform = self.random.beyond(m.shape[1], self.used, draws)
        spikes = (uniform < dopamine_chance(m, self.p.dopamine_rest)[..., None]).sum(-1)
        return dopamine_said(spikes.to(m), draws, self.p.dopamine_rest)

    def reset(self, done: Tensor) -> None:
        """Back to the baseline in the envs where ``done (agents, envs)`` bool."""
        self.level[done] = 0.0

    def tensors(self) -> dict[str, Tensor]:
        """Its state by name, held for every env."""
        return {"dopamine.level": self.level}
