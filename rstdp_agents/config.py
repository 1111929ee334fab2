"""Every setting of a run, in frozen dataclasses: the same objects make the command line, config.json and TensorBoard's text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from rstdp_agents import validate
from rstdp_agents.decoders import Gate
from rstdp_agents.homeostasis import HomeostasisParams
from rstdp_agents.neurons import LIFParams

RuleName = Literal["rstdp", "rstdp-et", "reward-switch"]
ModulatorName = Literal["td", "reward", "reward-baseline"]


@dataclass(frozen=True)
class SimulationConfig:
    """How long an env step is simulated."""

    ticks: int = 10
    """Simulation ticks per env step."""
    dt: float = 1.0
    """Length of a tick (ms)."""
    fresh_each_window: bool = True
    """Start membranes and spike traces at rest in every env step; eligibility lives on either way."""

    def __post_init__(self) -> None:
        validate.positive("ticks", self.ticks)
        validate.positive("dt", self.dt, "ms")


@dataclass(frozen=True)
class EncoderConfig:
    """Observations to input spikes."""

    low: tuple[float, ...] = ()
    """Lower bound of the place-cell grid in each dimension; empty for the observation space's own."""
    high: tuple[float, ...] = ()
    """Upper bound of the place-cell grid in each dimension; empty for the observation space's own."""
    cells: tuple[int, ...] = ()
    """Place cells along each dimension; empty for a grid of about 300 cells in all."""
    width: float = 0.7
    """Standard deviation of a place field, in grid spacings."""
    rate_max: float = 500.0
    """Firing rate of the most active input neuron (Hz)."""

    def __post_init__(self) -> None:
        validate.positive("width", self.width, "grid spacings")
        validate.positive("rate_max", self.rate_max, "Hz")


@dataclass(frozen=True)
class PlasticityConfig:
    """Spike pairs, eligibility and weights."""

    lr: float = 0.7
    """Learning rate: change of a weight per unit of modulator and eligibility."""
    a_plus: float = 1.0
    """Amplitude of pre-before-post pairs."""
    a_minus: float = 0.0
    """Amplitude of post-before-pre pairs; above 0.3 it cancels the signal of a stationary input."""
    tau_plus: float = 20.0
    """Time constant of the presynaptic trace (ms)."""
    tau_minus: float = 20.0
    """Time constant of the postsynaptic trace (ms)."""
    tau_e: float = 45.0
    """Time constant of the eligibility trace (ms of simulated time); rstdp has none and ignores it."""
    w_min: float = -1.0
    """Lower bound of the weights."""
    w_max: float = 1.0
    """Upper bound of the weights."""
    w_init: float = 0.01
    """Initial weights are uniform within plus and minus this."""

    def __post_init__(self) -> None:
        validate.not_negative("lr", self.lr)
        validate.ordered("w_min", self.w_min, "w_max", self.w_max)
        validate.not_negative("w_init", self.w_init)


@dataclass(frozen=True)
class DecoderConfig:
    """Output spikes to actions."""

    neurons_per_action: int = 8
    """Output neurons per action."""
    inverse_temperature: float = 10.0
    """Sharpness of the softmax over the actions' mean rates (spikes per neuron and tick)."""
    gate: Gate = "centred"
    """Eligibility of an action's neurons: 1[a] - pi(a) (centred), 1[a] (chosen) or 1 (none)."""


@dataclass(frozen=True)
class ModulatorConfig:
    """Rewards to the third factor."""

    reward_scale: float = 1.0
    """Factor on every reward before it becomes a modulator."""
    gamma: float = 0.98
    """Discount per env step (td)."""
    lambda_: float = 0.8
    """Decay of the critic's trace per env step, besides gamma (td)."""
    critic_lr: float = 0.6
    """Learning rate of the critic (td)."""
    tau_baseline: float = 100.0
    """Time constant of the running mean of rewards (reward-baseline), in env steps."""

    def __post_init__(self) -> None:
        validate.within("gamma", self.gamma, 0.0, 1.0)
        validate.within("lambda_", self.lambda_, 0.0, 1.0)
        validate.not_negative("critic_lr", self.critic_lr)
        validate.require(
            self.tau_baseline >= 1, f"`tau_baseline` must be 1 env step or more; received {self.tau_baseline}"
        )


@dataclass(frozen=True)
class AgentConfig:
    """All that makes an agent, whatever the environment."""

    rule: RuleName = "rstdp-et"
    """Learning rule."""
    modulator: ModulatorName = "td"
    """Third factor: TD error of a critic, the reward, or the reward minus its running mean."""
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    neuron: LIFParams = field(default_factory=LIFParams)
    plasticity: PlasticityConfig = field(default_factory=PlasticityConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    modulation: ModulatorConfig = field(default_factory=ModulatorConfig)
    homeostasis: HomeostasisParams = field(default_factory=HomeostasisParams)

    def __post_init__(self) -> None:
        one_per_tick = 1000.0 / self.simulation.dt
        validate.require(
            self.encoder.rate_max <= one_per_tick,
            f"`encoder.rate_max` must not exceed one spike per tick ({one_per_tick:g} Hz); received {self.encoder.rate_max}",
        )
