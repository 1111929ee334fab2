"""Exploration: how random an agent's actions are, which it learns from what they bring."""

from __future__ import annotations

from torch import Tensor

from rstdp_agents.codecs.decoders.options import DecoderConfig
from rstdp_agents.codecs.decoders.softmax import Decoder, explorer
from rstdp_agents.equations.policy import sharpness_step
from rstdp_agents.equations.traces import trace_step


class Exploration:
    """Sharpness of each component of the action, by a third-factor rule of its own: it rises where sharper choices brought more.

    It follows the gradient that the weights follow (Williams 1992), as `policy.sharpness_step` does, but slowly: what one step
    says of it is mostly noise. All envs of an agent share it. Decoders that are no `softmax.explorer` are left alone. In
    tissue: the gain of the pool that adds variability to a motor command, as LMAN does to song, or the slope of the
    competition between actions.

        k <- gamma lambda k + push

    p: has both step sizes. scale: a factor on them for each agent, ``(agents,)``. decay: of the pushes, gamma lambda.
    """

    def __init__(self, decoder: Decoder, p: DecoderConfig, scale: Tensor, decay: float, envs: int) -> None:
        self.decoder, self.decay = decoder, decay
        self._explorer = explorer(decoder)
        choices, components = (self._explorer.choices, self._explorer.components) if self._explorer else (0, 0)
        steps = [p.temperature_lr] * choices + [p.exploration_lr] * (components - choices)
        self.lr = scale[:, None] * scale.new_tensor(steps)
        """Of `policy.sharpness_step`, ``(agents, components)``."""
        self.sharpness = self.lr.new_zeros(self.lr.shape)
        """How much sharper than at the start, its logarithm, ``(agents, components)``."""
        self.trace = self.lr.new_zeros(len(scale), envs, components)

    def act(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """As `Decoder.choose`, remembering the pushes of what was chosen."""
        if self._explorer is None:
            return self.decoder.choose(rates, uniform, allowed)
        action, gate, push = self._explorer.decide(rates, uniform, allowed, self.sharpness[:, None])
        self.trace.copy_(trace_step(self.trace, push, self.decay))
        return action, gate

    def choose(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None) -> Tensor:
        """The action alone, of which nothing is remembered."""
        if self._explorer is None:
            return self.decoder.choose(rates, uniform, allowed)[0]
        return self._explorer.decide(rates, uniform, allowed, self.sharpness[:, None]).action

    def learn(self, m: Tensor) -> None:
        """Learn from the modulator ``(agents, envs)`` of what was chosen last."""
        mean = (m[..., None] * self.trace).mean(1)
        self.sharpness.copy_(sharpness_step(self.sharpness, mean, 1.0, self.lr))

    def reset(self, done: Tensor) -> None:
        """Forget the episode in the envs where ``done (agents, envs)`` bool."""
        self.trace[done] = 0.0

    def tensors(self) -> dict[str, Tensor]:
        """Its state by name."""
        return {**self.learnt(), "exploration.trace": self.trace}

    def learnt(self) -> dict[str, Tensor]:
        """What all envs of an agent share."""
        return {"exploration.sharpness": self.sharpness}
