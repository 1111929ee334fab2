"""The gain of the modulator: how large an error has to be to matter, as learnt from the errors of late."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.agent.modulators import ModulatorConfig
from rstdp_agents.equations.critic import beyond_deadband, in_own_units, moment_step, own_unit


class Gain:
    """From what a modulator says, delta, to the third factor m of the synapses.

    adaptive: m = `critic.in_own_units` of delta, whose running sizes an agent's envs share; fixed: m = delta. Then
    `critic.beyond_deadband`. In tissue: dopamine neurons adapt their gain to the range of what they have met (Tobler and
    others 2005).
    """

    def __init__(self, p: ModulatorConfig, agents: int, device: torch.device) -> None:
        self.p = p
        self.moments = torch.zeros(agents, 3, device=device, dtype=torch.float64)
        """Running means of delta^2 and delta^4, and the number of env steps so far, ``(agents, 3)``."""

    def __call__(self, delta: Tensor, restarted: Tensor | None = None) -> Tensor:
        """M for ``delta (agents, envs)``; ``restarted``: bool, envs that took no action, of which nothing is learnt."""
        if self.p.gain == "fixed":
            return beyond_deadband(delta, self.p)
        exact, before = delta.double(), self.moments
        share = (1.0 / (before[:, 2:] + 1.0)).clamp_(min=1.0 / self.p.tau_gain)
        square = exact * exact
        second = moment_step(before[:, :1], square, share)
        fourth = moment_step(before[:, 1:2], square * square, share)
        m = in_own_units(exact, second, fourth).to(delta.dtype)
        change = torch.stack([second - before[:, :1], fourth - before[:, 1:2], torch.ones_like(second)], -1)
        if restarted is not None:
            change.masked_fill_(restarted[..., None], 0.0)
        self.moments += change.mean(1)
        return beyond_deadband(m, self.p)

    @property
    def unit(self) -> Tensor:
        """Size of delta that is 1 in m, ``(agents, 1)``."""
        if self.p.gain == "fixed":
            return torch.ones_like(self.moments[:, :1])
        return own_unit(self.moments[:, :1], self.moments[:, 1:2])

    def learnt(self) -> dict[str, Tensor]:
        """Its state by name; all envs of an agent share it."""
        return {"gain.moments": self.moments}
