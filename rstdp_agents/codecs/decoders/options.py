"""Settings of the decoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

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
    """Sharpness of the softmax over the actions' mean rates (spikes per neuron and tick)."""
    gate: Gate = "centred"
    """Eligibility of an action's neurons: 1[a] - pi(a) (centred), 1[a] (chosen) or 1 (none)."""
    exploration: float = 0.3
    """Standard deviation of the noise on a continuous action, in units of half its range."""
    action_range: float = 2.0
    """Half the range of a continuous action without bounds: this far on both sides of 0, or twice as far from its only bound."""

    def __post_init__(self) -> None:
        validate.named("decoder.code", self.code, get_args(Decode))
        validate.positive("action_range", self.action_range)
