"""A critic of spiking neurons: values of either sign from two populations, learnt by their own spikes and errors."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.agent.modulators import ModulatorConfig, Step
from rstdp_agents.equations.critic import critic_step, critic_trace_step, marked_share, td_error
from rstdp_agents.equations.spiking_value import (
    FAINT,
    LEAST,
    MARGIN,
    START,
    TAU_CALCIUM,
    calcium_gate,
    critic_tick,
    reach_step,
    relay_tick,
    value_after_error,
    value_needed,
    value_of_rates,
)
from rstdp_agents.equations.traces import decay, trace_step
from rstdp_agents.spiking.dale import by_sign

AT_ONCE = 16
"""Envs whose value is looked up at a time: relay spikes of all inputs in all ticks take memory."""


class SpikingCriticConstants(NamedTuple):
    """What a spiking critic computes with; all zero for a critic that does not spike."""

    half: int = 0
    """Neurons of each of its two populations."""
    tonic: float = 0.0
    """Spikes of a neuron per tick without input."""
    p_max: float = 0.0
    """Spikes per tick of the relay neuron of the most active input."""
    decay_calcium: float = 0.0
    """Of a neuron's calcium per window."""
    value_init: float = 0.0
    keep_reach: float = 0.0
    """What an env step leaves of the largest value that can be said."""


class Heard(NamedTuple):
    """A window of the critic."""

    value: Tensor
    """``(agents, envs)``"""
    share: Tensor
    """Of the presynaptic spikes, that of every input: ``(agents, envs, pre)``."""
    post: Tensor
    """Spikes of each neuron, ``(agents, envs, 2, half)``."""
    potential: Tensor
    """``(agents, envs, 2, half)``, after it."""


class SpikingCritic:
    """m = delta, as of `modulators.TDError`, with values V that two populations of neurons say.

    A state's inputs reach them through relay neurons, which fire regularly from its onset (`spiking_value.relay_tick`). Neurons
    fire without input too, and are excited or inhibited from there (`critic_tick`). In a population, fast inhibition holds the
    mean potential at one half: so what the population's rate is rounded to is one spike, however many neurons there are, and
    what is left of it is said in the next tick (`fire_together`; as in the networks of Boerlin, Machens and Denève 2013). V is
    the difference of the two rates (`value_of_rates`).

    A synapse becomes eligible by the share that it has in the input spikes of a window, if its neuron has fired of late
    (`calcium_gate`); with opposite sign in the two populations, in units of what that changes of V: so that critic_lr delta e
    removes the share critic_lr of an error (`critic.critic_trace_step`). What was said of the next state is the value to start
    from in the next step, with what the error has changed of it (`value_after_error`).

    shape: ``(agents, envs, pre)`` of the features. ticks, dt (ms): of a window. rate_max: of the relay neuron of the most active
    input (Hz). dale: whether synapses obey Dale's law (`spiking_value.critic_bounds`), inputs of the ``layout`` of
    `dale.of_both_signs`.
    """

    def __init__(
        self, p: ModulatorConfig, shape: tuple[int, int, int], device: torch.device, dtype: torch.dtype, *,
        ticks: int, dt: float, rate_max: float, dale: bool, layout: tuple[int, ...],
    ) -> None:  # fmt: skip
        (agents, envs, inputs), half = shape, p.critic_neurons // 2
        like = {"device": device, "dtype": dtype}
        self.p, self.ticks, self.dale, self.layout, self._like = p, ticks, dale, layout, like
        self.constants = SpikingCriticConstants(
            half, p.critic_hz * dt / 1000.0, rate_max * dt / 1000.0, decay(TAU_CALCIUM, ticks * dt), p.value_init,
            math.exp(-1.0 / p.tau_reach),
        )  # fmt: skip
        self.weight = torch.zeros(agents, 2, half, inputs, **like)
        """In units of value."""
        self.trace = torch.zeros(agents, envs, 2, half, inputs, **like)
        self.potential = self._rest((agents, envs, 2))
        self.calcium = torch.zeros(agents, envs, 2, half, **like)
        """Slow trace of each neuron's own spikes."""
        self.said = torch.full((agents, envs), p.value_init, **like)
        """Value of the state acted in."""
        self.silent = torch.ones(agents, envs, device=device, dtype=torch.bool)
        """Whether nothing has been said of it yet, as when an episode begins."""
        self._some_silent = True  # whether some may be, as far as is known without waiting for the device
        self._sign = torch.tensor([1.0, -1.0], **like)[:, None, None]
        self.recent = torch.zeros(agents, envs, device=device, dtype=torch.float64)
        """Rewards of the episode so far, discounted backwards."""
        self.reach = torch.full((agents, 1), FAINT, device=device, dtype=torch.float64)
        """Largest value, from the initial one, that can be said without silencing a population."""
        self.balance = torch.zeros(agents, 1, device=device, dtype=torch.float64)
        """The largest reach so far."""

    def __call__(self, step: Step) -> Tensor:
        p, c = self.p, self.constants
        self.recent.copy_(trace_step(self.recent, step.reward.double() * p.reward_scale, p.gamma))
        if self._some_silent:
            starting, self._some_silent = self.silent.clone(), False
            self._mark(self._say(step.features, starting), starting)
        before, everywhere = self.said.clone(), torch.ones_like(self.silent)
        heard = self._say(step.next_features, everywhere)
        needed = value_needed(self.recent, self.said.double(), p.value_init).amax(1, keepdim=True)
        self.reach.copy_(reach_step(self.reach, needed, c.keep_reach))
        self.balance.copy_(torch.maximum(self.balance, self.reach))
        delta = step.taken(td_error(step.reward, step.terminated, before, self.said, p))
        asked = self._effect(self.weight[:, None], heard.share)
        share = (p.critic_lr / delta.shape[1] * delta)[..., None, None, None]
        for e in range(delta.shape[1]):
            self.weight.copy_(critic_step(self.weight, self.trace[:, e], share[:, e]))
        if self.dale:
            room = self.balance.to(self.weight).reshape(-1, *[1] * (1 + len(self.layout)))
            for population in self.weight.unflatten(-1, self.layout).unbind(1):
                by_sign(population, room)
        self.said.copy_(value_after_error(self.said, asked, self._effect(self.weight[:, None], heard.share)))
        self._mark(heard, everywhere)
        return delta

    def value(self, features: Tensor) -> Tensor:
        """Value ``(agents, envs)`` of features ``(agents, envs, pre)``, by neurons that begin anew: looking changes nothing."""
        parts = features.split(AT_ONCE, 1)
        return torch.cat([self._respond(part, self._rest((*part.shape[:2], 2))).value for part in parts], 1)

    def reset(self, done: Tensor) -> None:
        self.trace[done] = 0.0
        self.said[done] = self.p.value_init
        self.silent[done] = True
        self._some_silent = True
        self.recent[done] = 0.0

    def tensors(self) -> dict[str, Tensor]:
        self._some_silent = True  # whoever asks for them may write to them
        names = ("weight", "trace", "potential", "calcium", "said", "silent", "recent", "reach", "balance")
        return {f"critic.{name}": getattr(self, name) for name in names}

    def _say(self, features: Tensor, where: Tensor) -> Heard:
        """Say the value of states in the envs ``where (agents, envs)``; the others stay as they are."""
        heard = self._respond(features, self.potential)
        self.said.copy_(torch.where(where, heard.value, self.said))
        each = where[..., None, None]
        self.potential.copy_(torch.where(each, heard.potential, self.potential))
        self.calcium.copy_(
            torch.where(each, trace_step(self.calcium, heard.post, self.constants.decay_calcium), self.calcium)
        )
        self.silent.logical_and_(~where)
        return heard

    def _mark(self, heard: Heard, where: Tensor) -> None:
        """Let the trace decay by a step in the envs ``where``, and add what a window has made eligible."""
        p = self.p
        again = p.gamma * p.lambda_ * self._effect(self.trace, heard.share)
        gate = calcium_gate(self.calcium).to(self.trace)
        eligible = self._sign * gate[..., None] * heard.share[..., None, None, :]
        effect = self._effect(eligible, heard.share)
        mark = torch.where(effect > LEAST, (1.0 - marked_share(again, p.critic_lr)) / effect.clamp(min=LEAST), 0.0)
        marked = critic_trace_step(self.trace, eligible, p.gamma * p.lambda_, mark[..., None, None, None])
        self.trace.copy_(torch.where(where[..., None, None, None], marked, self.trace))

    @staticmethod
    def _effect(synapses: Tensor, share: Tensor) -> Tensor:
        """What weights like these ``(agents, envs, 2, half, pre)`` would change of the value, ``(agents, envs)``."""
        plus, minus = (synapses @ share[..., None, :, None]).mean((-2, -1)).unbind(-1)
        return 0.5 * (plus - minus)

    def _respond(self, features: Tensor, potential: Tensor) -> Heard:
        """A window for features ``(agents, envs, pre)``, which begins with ``potential``."""
        c, relay = self.constants, self._relay(features)
        of_inputs, reach = relay.sum(0), self.reach.to(features)[..., None, None]
        per_tick = (of_inputs.sum(-1) / self.ticks).clamp(min=LEAST)[..., None, None]
        post, currents = torch.zeros_like(potential), torch.einsum("taei,apni->taepn", relay, self.weight)
        for current in currents:
            spike, potential = fire_together(critic_tick(potential, current, per_tick, c.tonic, reach))
            post = post + spike
        rates = post.mean(-1).double() / self.ticks
        value = c.value_init + value_of_rates(rates[..., 0], rates[..., 1], c.tonic, self.reach)
        share = of_inputs / of_inputs.sum(-1, keepdim=True).clamp(min=LEAST)
        return Heard(value.to(features), share, post, potential)

    def _relay(self, features: Tensor) -> Tensor:
        """Relay spikes of a window for features ``(agents, envs, pre)``: ``(ticks, agents, envs, pre)``."""
        p = features / features.amax(-1, keepdim=True).clamp(min=LEAST) * self.constants.p_max
        v, ticks = torch.full_like(p, START), []
        for _ in range(self.ticks):
            spike, v = relay_tick(v, p)
            ticks.append(spike.to(p))
        return torch.stack(ticks)

    def _rest(self, shape: tuple[int, ...]) -> Tensor:
        """Potentials spread evenly below the threshold, ``(*shape, half)``."""
        half = self.constants.half
        return ((torch.arange(half, **self._like) + 0.5) / half).repeat(*shape, 1)


def fire_together(potential: Tensor) -> tuple[Tensor, Tensor]:
    """Spikes of populations of neurons ``(..., n)`` in a tick, and their potentials after it.

    As many fire as it takes to bring the mean potential down to one half, those of the highest potentials; of equal ones the
    first.
    """
    neurons = potential.shape[-1]
    due = (potential.sum(-1) - (0.5 * neurons - MARGIN)).clamp(0, neurons).long()
    rank = potential.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
    spike = (rank < due[..., None]).to(potential)
    return spike, potential - spike
