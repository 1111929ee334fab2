"""Settings of the decoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, get_args

from rstdp_agents.base import validate
from rstdp_agents.base.options import named
from rstdp_agents.codecs.decoders.softmax import Gate

Decode = Literal["auto"]


@dataclass(frozen=True)
class DecoderConfig:
    """Output spikes to actions."""

    code: Annotated[str, named(Decode, "--decoder")] = "auto"
    """The decoder that fits the action space (auto), or your own (docs/extending.md)."""
    neurons_per_action: int = 8
    """Output neurons per action, or per dimension of a continuous action."""
    inverse_temperature: float = 10.0
    """Inverse temperature of the softmax over the actions' mean rates (spikes per neuron and tick) to start from, where these
    are held at `choice_hz`; at half that target twice as much."""
    gate: Gate = "centred"
    """Eligibility of an action's neurons: 1[a] - pi(a) (centred), 1[a] (chosen) or 1 (none)."""
    exploration: float = 1.0
    """Standard deviation of the noise on a continuous action to start from, in units of half its range."""
    temperature_lr: float = 0.003
    """By how much the logarithm of the inverse temperature changes per unit of modulator, to what brings more; 0 keeps it."""
    exploration_lr: float = 0.003
    """The same of the noise on a continuous action."""
    choice_hz: float = 250.0
    """Mean rate of the output neurons that suits a choice (Hz), for differences of rates count: half of the most there is."""
    vector_hz: float = 120.0
    """Mean rate that suits a continuous action (Hz), for ratios of rates count: few neurons make it sharp."""
    action_range: float = 2.0
    """Half the range of a continuous action without bounds: this far on both sides of 0, or twice as far from its only bound."""

    def __post_init__(self) -> None:
        validate.named("decoder.code", self.code, get_args(Decode))
        validate.positive("action_range", self.action_range)
        validate.positive("choice_hz", self.choice_hz, "Hz")
        validate.positive("vector_hz", self.vector_hz, "Hz")
        validate.not_negative("temperature_lr", self.temperature_lr)
        validate.not_negative("exploration_lr", self.exploration_lr)


class DecoderConstants(NamedTuple):
    """What compiled code computes with of a `DecoderConfig`."""

    neurons_per_action: int
    inverse_temperature: float
    gated: bool
    """Whether only the neurons of the action taken are credited for having been chosen; else all of them are."""
    centred: bool
    """Whether an action's probability is taken off the credit of its neurons."""
    exploration: float


def decoder_constants(p: DecoderConfig) -> DecoderConstants:
    """Constants of a decoder."""
    return DecoderConstants(
        p.neurons_per_action,
        p.inverse_temperature,
        p.gate != "none",
        p.gate == "centred",
        p.exploration,
    )
