"""Every setting of an agent: those of its parts, put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, get_args

from rstdp_agents.agent.modulators import ModulatorConfig, ModulatorName
from rstdp_agents.base import validate
from rstdp_agents.base.options import named
from rstdp_agents.codecs.decoders.options import DecoderConfig
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.equations.neuron import LIFParams
from rstdp_agents.equations.rate_control import HomeostasisParams
from rstdp_agents.equations.spiking_value import FEWEST_SPIKES
from rstdp_agents.spiking.axons import LONGEST
from rstdp_agents.spiking.network import Credit
from rstdp_agents.spiking.neuron_models import NeuronName
from rstdp_agents.spiking.plasticity.options import PlasticityConfig, RuleName

BackendName = Literal["auto", "fused", "torch"]


@dataclass(frozen=True)
class SimulationConfig:
    """How long an env step is simulated."""

    ticks: int = 10
    """Simulation ticks per env step."""
    dt: float = 1.0
    """Length of a tick (ms)."""
    fresh_each_window: bool = True
    """Start membranes and spike traces at rest in every env step; eligibility persists either way."""

    def __post_init__(self) -> None:
        validate.positive("ticks", self.ticks)
        validate.positive("dt", self.dt, "ms")


@dataclass(frozen=True)
class NetworkConfig:
    """Hidden layers of spiking neurons between input and output; without any, the inputs drive the output directly."""

    conv: tuple[tuple[int, int, int], ...] = ()
    """Convolutions over an image, first to last: output channels, kernel size and stride of each."""
    hidden: tuple[int, ...] = ()
    """Neurons of the dense hidden layers, first to last; after the convolutions."""
    credit: Credit = "mirrored"
    """What gates the eligibility of hidden neurons: the output's gate through weights that grow as the output's do (mirrored; for
    layers before the last hidden one as feedback), or through fixed random ones (feedback); or nothing (broadcast). frozen keeps
    their initial weights."""
    lr_scale: float = 3.0
    """Learning rate of the hidden layers, relative to that of the output."""
    dale: bool = False
    """Dale's law: a neuron either excites or inhibits, by turns; every input has a neuron of either kind."""
    w_init: float = 4.0
    """Initial weights of a hidden layer are uniform within +- this, divided by the square root of a neuron's inputs."""
    hidden_hz: float = 50.0
    """Mean rate that suits hidden neurons (Hz); where `homeostasis.rate_target` is given, that is theirs too."""
    hidden_tau: float = 1000.0
    """Time constant with which homeostasis brings hidden layers to their rate (ms); it estimates that over half of it at most."""
    max_delay: float = 0.0
    """Longest delay of input spikes (ms): each input neuron has an axon of its own, of any delay in whole ticks up to it."""

    def __post_init__(self) -> None:
        for size in (n for sizes in (self.hidden, *self.conv) for n in sizes):
            validate.positive("network.hidden and network.conv", size)
        validate.not_negative("lr_scale", self.lr_scale)
        validate.not_negative("w_init", self.w_init)
        validate.positive("hidden_hz", self.hidden_hz, "Hz")
        validate.require(self.hidden_tau > 0, f"`hidden_tau` must be positive (ms); received {self.hidden_tau}")
        validate.not_negative("max_delay", self.max_delay, "ms")


@dataclass(frozen=True)
class NeuronConfig(LIFParams):
    """Neurons of all layers; but for `model`, the settings are those of the leaky integrate-and-fire neuron."""

    model: Annotated[str, named(NeuronName, "--neuron")] = "lif"
    """Leaky integrate-and-fire, the same with adaptive thresholds, adaptive exponential integrate-and-fire, Izhikevich's regular
    spiking neuron; or a model of your own (docs/extending.md)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        validate.named("neuron.model", self.model, get_args(NeuronName))


@dataclass(frozen=True)
class AgentConfig:
    """Everything that defines an agent, whatever the environment."""

    rule: Annotated[str, named(RuleName)] = "rstdp-et"
    """Learning rule, built in or your own (docs/extending.md)."""
    modulator: Annotated[str, named(ModulatorName)] = "td"
    """Third factor: TD error of a linear or a spiking critic, reward (minus its mean), or your own."""
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    neuron: NeuronConfig = field(default_factory=NeuronConfig)
    plasticity: PlasticityConfig = field(default_factory=PlasticityConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    modulation: ModulatorConfig = field(default_factory=ModulatorConfig)
    homeostasis: HomeostasisParams = field(default_factory=lambda: HomeostasisParams(rate_target=0.0))

    def __post_init__(self) -> None:
        validate.named("rule", self.rule, get_args(RuleName))
        validate.named("modulator", self.modulator, get_args(ModulatorName))
        p = self.plasticity
        validate.require(
            not self.network.dale or p.w_min < 0 < p.w_max,
            f"`network.dale` needs weights of both signs, `plasticity.w_min` < 0 < `w_max`; received {p.w_min} and {p.w_max}",
        )
        one_per_tick = 1000.0 / self.simulation.dt
        validate.require(
            self.encoder.rate_max <= one_per_tick,
            f"`encoder.rate_max` must not exceed one spike per tick ({one_per_tick:g} Hz); received {self.encoder.rate_max}",
        )
        p = self.modulation
        validate.require(
            self.modulator != "td-spiking" or p.critic_hz <= one_per_tick / 2,
            f"`modulation.critic_hz` must not exceed a spike in two ticks ({one_per_tick / 2:g} Hz); received {p.critic_hz}",
        )
        window = self.simulation.ticks * self.simulation.dt / 1000.0
        validate.require(
            self.modulator != "td-spiking" or self.encoder.rate_max * window >= 1.0,
            f"td-spiking needs inputs that fire in a window of {1000 * window:g} ms: "
            f"`encoder.rate_max` must be {1 / window:g} Hz or more; "
            f"received {self.encoder.rate_max}",
        )
        spikes = p.critic_hz * window * p.critic_neurons / 2
        validate.require(
            self.modulator != "td-spiking" or spikes >= FEWEST_SPIKES,
            f"td-spiking rounds values to a spike of a population, which must fire {FEWEST_SPIKES} or more in a window of "
            f"{1000 * window:g} ms without input; received {spikes:g}, of `modulation.critic_hz` {p.critic_hz} and "
            f"`modulation.critic_neurons` {p.critic_neurons}",
        )
        delay = self.longest_delay
        validate.require(delay <= LONGEST, f"`network.max_delay` may take {LONGEST} ticks; received {delay}")
        target, most = self.homeostasis.rate_target, self.highest_rate
        validate.require(
            self.homeostasis.param == "none" or target <= most,
            f"`homeostasis.rate_target` must not exceed what a neuron can fire at most ({most:g} Hz); received {target}",
        )

    @property
    def longest_delay(self) -> int:
        """Ticks for which an input spike is under way at most."""
        return round(self.network.max_delay / self.simulation.dt)

    @property
    def highest_rate(self) -> float:
        """What a neuron can fire at most (Hz): once a tick, or once a refractory period."""
        pause = round(self.neuron.t_ref / self.simulation.dt) if self.neuron.model == "lif" else 0
        return 1000.0 / self.simulation.dt / (1 + pause)
