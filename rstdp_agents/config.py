"""Every setting of a run, in frozen dataclasses: the same objects make the command line, config.json and TensorBoard's text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Annotated, Any, Literal, TypeVar, get_args, get_type_hints

import numpy as np
import tyro
from typeguard import CollectionCheckStrategy, TypeCheckError, check_type

from rstdp_agents import validate
from rstdp_agents.decoders import Gate
from rstdp_agents.homeostasis import HomeostasisParams
from rstdp_agents.neurons import LIFParams

RuleName = Literal["rstdp", "rstdp-et", "reward-switch"]
Backend = Literal["auto", "fused", "torch"]
Launcher = Literal["local", "ray"]
Vectorization = Literal["auto", "serial", "async", "vector", "envpool"]
ModulatorName = Literal["td", "td-spiking", "reward", "reward-baseline"]
EnvErrors = Literal["stop", "restart"]
Code = Literal["place-cells", "separate", "tiles", "tuples"]
Credit = Literal["feedback", "broadcast", "frozen"]
ImageCode = Literal["intensity", "on-off", "one-hot"]
Decode = Literal["auto"]
Config = TypeVar("Config")
COLUMNS = ("r", "l", "t", "agent")
"""Of monitor.csv: return, length, seconds since the run began, and which agent it was; then the numbers of `info`."""
MOST_THREADS = 1024
"""More than any machine has processors; OpenMP takes memory for each."""


def _named(names: Any, *aliases: str) -> Any:
    """How the command line shows an option that takes one of a few names, or a part of one's own."""
    return tyro.conf.arg(metavar=f"{{{','.join(get_args(names))},module:Name}}", aliases=aliases)


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

    code: Annotated[str, _named(Code, "--encoder")] = "place-cells"
    """What a Box is encoded by: Gaussian place cells on one grid, or on one for each dimension (separate), which
    says nothing of how they go together and leaves that to hidden layers; or binary tiles on several shifted
    grids; or an encoder of your own (docs/extending.md). Tuples are for any observation of many entries, images
    and memory included: random groups of them, with a cell for each combination of values."""
    low: tuple[float, ...] = ()
    """Lower bound of the grid in each dimension; empty for the space's own, or what chance reaches where it has
    none, or one far wider than that (tuples: what chance reaches, in each entry of the observation)."""
    high: tuple[float, ...] = ()
    """Upper bound of the grid in each dimension; empty for the same."""
    cells: tuple[int, ...] = ()
    """Place cells, or tiles of a tiling, along each dimension; empty for about 300 in all."""
    tilings: int = 8
    """Shifted grids of tiles (tiles)."""
    width: float | tuple[float, ...] = 0.7
    """Standard deviation of a place field, in grid spacings, for all dimensions or for each (place-cells); well
    below 0.4 the values of a dimension that has few of them do not overlap."""
    floor: float = 0.0
    """Place cells below this share of the most active cell's rate are silent (place-cells)."""
    image: ImageCode = "intensity"
    """What an image is encoded by: brightness, contrast to its mean in two channels, or a channel for each value."""
    levels: int = 16
    """Values of a pixel, from its lowest on, that have a channel (one-hot); levels that the range of an entry is
    divided into, where it has more values (tuples)."""
    tuples: tuple[tuple[int, int], ...] = ((64, 2),)
    """Random groups of entries: how many groups, and how many entries each holds, 0 for all (tuples)."""
    tuple_cells: int = 256
    """Cells of a group; if the values of its entries have more combinations, a hash chooses among so many (tuples)."""
    rate_max: float = 500.0
    """Firing rate of the most active input neuron (Hz)."""

    def __post_init__(self) -> None:
        validate.named("encoder.code", self.code, get_args(Code))
        for width in np.atleast_1d(self.width):
            validate.positive("width", width, "grid spacings")
        validate.positive("tilings", self.tilings)
        validate.positive("levels", self.levels)
        validate.positive("tuple_cells", self.tuple_cells)
        for count, size in self.tuples:
            validate.positive("encoder.tuples", count, "groups")
            validate.not_negative("encoder.tuples", size, "entries")
        validate.within("floor", self.floor, 0.0, 1.0)
        validate.positive("rate_max", self.rate_max, "Hz")


@dataclass(frozen=True)
class NetworkConfig:
    """Hidden layers of spiking neurons between input and output; without any, each input drives the output itself."""

    conv: tuple[tuple[int, int, int], ...] = ()
    """Convolutions over an image, first to last: output channels, kernel size and stride of each."""
    hidden: tuple[int, ...] = ()
    """Neurons of the dense hidden layers, first to last; after the convolutions."""
    credit: Credit = "feedback"
    """What gates the eligibility of hidden neurons: the output's gate through fixed random weights (feedback),
    nothing (broadcast); or they stay as they were drawn (frozen)."""
    lr_scale: float = 1.0
    """Learning rate of the hidden layers, relative to that of the output."""
    w_init: float = 2.0
    """Initial weights of a hidden layer are uniform within plus and minus this over the root of a neuron's inputs."""

    def __post_init__(self) -> None:
        for size in (n for sizes in (self.hidden, *self.conv) for n in sizes):
            validate.positive("network.hidden and network.conv", size)
        validate.not_negative("lr_scale", self.lr_scale)
        validate.not_negative("w_init", self.w_init)


@dataclass(frozen=True)
class PlasticityConfig:
    """Spike pairs, eligibility and weights."""

    lr: float = 0.7
    """Learning rate: change of a weight per unit of modulator and eligibility."""
    lr_halved_after: float = 0.0
    """Episodes of an agent after which its learning rate is half: lr / (1 + episodes / this); 0 for a constant one."""
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
        validate.not_negative("lr_halved_after", self.lr_halved_after, "episodes")
        validate.ordered("w_min", self.w_min, "w_max", self.w_max)
        validate.not_negative("w_init", self.w_init)


@dataclass(frozen=True)
class DecoderConfig:
    """Output spikes to actions."""

    code: Annotated[str, _named(Decode, "--decoder")] = "auto"
    """What the action space asks for, or a decoder of your own (docs/extending.md)."""
    neurons_per_action: int = 8
    """Output neurons per action, or per dimension of a continuous one."""
    inverse_temperature: float = 10.0
    """Sharpness of the softmax over the actions' mean rates (spikes per neuron and tick)."""
    gate: Gate = "centred"
    """Eligibility of an action's neurons: 1[a] - pi(a) (centred), 1[a] (chosen) or 1 (none)."""
    exploration: float = 0.3
    """Standard deviation of the noise on a continuous action, in units of half its range."""
    action_range: float = 2.0
    """Half the range of a continuous action without bounds: so far to both sides of 0, or twice as far from its only bound."""

    def __post_init__(self) -> None:
        validate.named("decoder.code", self.code, get_args(Decode))
        validate.positive("action_range", self.action_range)


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
    """Learning rate of the critic (td; td-spiking, whose weights are those of synapses, takes about 0.002)."""
    value_init: float = 0.0
    """Value of every state before anything is learnt (td); reward / (1 - gamma) expects an unchanging reward for ever."""
    critic_neurons: int = 64
    """Neurons of a spiking critic, half of them for positive and half for negative value (td-spiking)."""
    value_scale: float = 10.0
    """Value of one spike per neuron and tick (td-spiking)."""
    deadband: float = 0.0
    """TD errors smaller than this leave the synapses of the agent as they are (td); the critic learns from all of them."""
    tau_baseline: float = 100.0
    """Time constant of the running mean of rewards (reward-baseline), in env steps."""

    def __post_init__(self) -> None:
        validate.within("gamma", self.gamma, 0.0, 1.0)
        validate.within("lambda_", self.lambda_, 0.0, 1.0)
        validate.not_negative("critic_lr", self.critic_lr)
        validate.not_negative("deadband", self.deadband)
        validate.positive("value_scale", self.value_scale)
        validate.require(
            self.critic_neurons >= 2, f"`critic_neurons` must be 2 or more; received {self.critic_neurons}"
        )
        validate.require(math.isfinite(self.value_init), f"`value_init` must be finite; received {self.value_init}")
        validate.require(
            self.tau_baseline >= 1, f"`tau_baseline` must be 1 env step or more; received {self.tau_baseline}"
        )


@dataclass(frozen=True)
class AgentConfig:
    """All that makes an agent, whatever the environment."""

    rule: Annotated[str, _named(RuleName)] = "rstdp-et"
    """Learning rule, or one of your own (docs/extending.md)."""
    modulator: Annotated[str, _named(ModulatorName)] = "td"
    """Third factor: TD error of a linear or a spiking critic, the reward, or the reward minus its running mean; or your own."""
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    neuron: LIFParams = field(default_factory=LIFParams)
    plasticity: PlasticityConfig = field(default_factory=PlasticityConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    modulation: ModulatorConfig = field(default_factory=ModulatorConfig)
    homeostasis: HomeostasisParams = field(default_factory=HomeostasisParams)

    def __post_init__(self) -> None:
        validate.named("rule", self.rule, get_args(RuleName))
        validate.named("modulator", self.modulator, get_args(ModulatorName))
        one_per_tick = 1000.0 / self.simulation.dt
        validate.require(
            self.encoder.rate_max <= one_per_tick,
            f"`encoder.rate_max` must not exceed one spike per tick ({one_per_tick:g} Hz); received {self.encoder.rate_max}",
        )


@dataclass(frozen=True)
class TaskConfig:
    """What is trained, on which environment, how long, and in which folder."""

    env: str = "CartPole-v1"
    """Gymnasium id, `module:Id`, or `module:Class` (also a function that makes one)."""
    env_kwargs: tuple[str, ...] = ()
    """Arguments of the environment as key:value pairs. Values are literals of Python or JSON, and true, false, yes,
    no, on, off, none, null, nan, inf in any case, also within them; anything else is text, and so is all in quotes
    ("'false'"), as `4x4`, `12:30` and nothing after the colon are."""
    wrapper: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """`module:Class` of a wrapper around the environment; the last one given is the outermost."""
    max_episode_steps: int = 0
    """Steps after which an episode is cut off, in place of the environment's own limit; 0 for that one."""
    total_steps: int = 100_000
    """Env steps per agent."""
    agents: int = 1
    """Independent agents trained side by side, with seeds seed, seed + 1, ..."""
    envs_per_agent: int = 1
    """Copies of the environment that each agent learns from at once."""
    seed: int = 0
    """Seed of the first agent."""
    run_dir: str = ""
    """Folder of the run; empty for a new one, runs/<env>__<rule>__<seed>__<date and time>."""
    resume: str = ""
    """Run folder or checkpoint to go on from; its settings are the defaults then."""
    progress: bool = True
    """Show a progress bar."""


@dataclass(frozen=True)
class MachineConfig:
    """What a run is carried out by."""

    vectorization: Vectorization = "auto"
    """How environments are stepped.
    serial: one after the other. async: each in a process of its own. envpool: by EnvPool's compiled environments.
    vector: by the environment's own vector implementation, for all agents; start states then depend on the population.
    auto: from 16 envs per agent on by an own vector implementation for each agent, where there is one, else serial."""
    env_errors: EnvErrors = "stop"
    """What an environment that fails does to the run: stop ends it after a checkpoint; restart counts it, begins
    new episodes everywhere and goes on, unless it fails again at once."""
    env_timeout: float = 0.0
    """Seconds that an environment may take for a step or a reset before it counts as one that fails (async: only a
    process of its own can be left behind); 0 for as long as it takes."""
    device: str = "cpu"
    """Torch device."""
    backend: Backend = "auto"
    """Compiled code on the CPU (fused), torch on any device, or fused wherever it can do what is asked (auto)."""
    threads: int = 1
    """CPU threads: of torch, and of compiled code, which splits the agents of a population over them where that pays."""
    launcher: Launcher = "local"
    """Train here (local), or spread the agents over a Ray cluster (ray); one is started on this machine where there is none."""
    storage: str = ""
    """Where the parts of a population on a cluster are kept: a path or URI that all its machines reach; empty for run_dir."""


@dataclass(frozen=True)
class RecordConfig:
    """What is kept of a run: evaluations, checkpoints, TensorBoard."""

    eval_episodes: int = 20
    """Episodes per agent and kind in the closing evaluation, greedy and stochastic; 0 for none."""
    eval_every: int = 0
    """Env steps per agent between greedy evaluations during training, each with a checkpoint, the best of which is
    kept in best/; 0 for none."""
    checkpoint_every: int = 25_000
    """Env steps per agent between checkpoints; one is always written at the end."""
    keep_checkpoints: int = 3
    """Checkpoints that are kept, the newest ones; 0 for all."""
    log_every: int = 2_000
    """Env steps per agent between points in TensorBoard."""
    info_keywords: tuple[str, ...] = ()
    """Numbers that `info` has at the end of an episode, or of a trial (neurogym): they become columns of
    monitor.csv, as those of Stable-Baselines3's Monitor, and curves in TensorBoard."""
    images: int = 2
    """Times that raster, maps and weight histograms are drawn in a run: the last time at its end, the others where a million env
    steps lie between them; 0 for never."""
    map_dims: tuple[int, int] = (0, 1)
    """Observation dimensions across which the value and policy maps cut."""


@dataclass(frozen=True)
class RunConfig(RecordConfig, MachineConfig, TaskConfig):
    """A run: which environment, how long, where to, what is kept of it, and the agent."""

    agent: Annotated[AgentConfig, tyro.conf.arg(name="")] = field(default_factory=AgentConfig)

    def __post_init__(self) -> None:
        for name in ("total_steps", "agents", "envs_per_agent", "threads", "checkpoint_every", "log_every"):
            validate.positive(name, getattr(self, name))
        for name in ("seed", "eval_episodes", "eval_every", "keep_checkpoints", "images", "max_episode_steps"):
            validate.not_negative(name, getattr(self, name))
        validate.column_names("info_keywords", self.info_keywords, COLUMNS)
        validate.not_negative("env_timeout", self.env_timeout, "seconds")
        validate.require(
            not self.env_timeout or self.vectorization == "async",
            f"`env_timeout` needs `vectorization` async: only a process can be left behind; received {self.vectorization}",
        )
        validate.require(
            self.threads <= MOST_THREADS, f"`threads` must be {MOST_THREADS} at most; received {self.threads}"
        )
        last = self.seed + self.agents - 1
        validate.require(
            last < 2**63, f"seeds of agents must be below 2**63; the last of `seed` and `agents` is {last}"
        )
        validate.require(
            not self.eval_every or self.eval_episodes > 0,
            "`eval_episodes` must be 1 or more with `eval_every`; received 0",
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seed of every agent."""
        return tuple(range(self.seed, self.seed + self.agents))


def override(config: Config, changes: Mapping[str, Any]) -> Config:
    """``config`` with some fields replaced, nested ones by dotted names: ``{"neuron.tau_m": 20.0}``."""
    for name, value in changes.items():
        head, _, rest = name.partition(".")
        new = override(getattr(config, head), {rest: value}) if rest else value
        config = replace(config, **{head: new})  # pyright: ignore[reportArgumentType]
    return config


def flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one level with dotted names."""
    out: dict[str, Any] = {}
    for name, value in nested.items():
        out.update(flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value})
    return out


def from_json(cls: type[Config], data: Any) -> Config:
    """The dataclass that `dataclasses.asdict` and JSON took apart. Raises ValueError naming what does not belong there."""
    validate.require(
        isinstance(data, Mapping), f"settings of {cls.__name__} must be a JSON object; received {data!r:.80}"
    )
    hints = get_type_hints(cls)
    unknown = sorted(data.keys() - hints.keys())
    validate.require(not unknown, f"unknown settings {', '.join(unknown)} for {cls.__name__}")
    return cls(**{name: _from_json(name, hints[name], value) for name, value in data.items()})


def _from_json(name: str, kind: Any, value: Any) -> Any:
    if is_dataclass(kind):
        return from_json(kind, value)  # pyright: ignore[reportArgumentType] (a class, not one of its objects)
    value = _tuples(value)
    wrong = isinstance(value, bool) and kind is not bool  # which is a number to Python
    try:
        check_type(value, kind, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
    except TypeCheckError:
        wrong = True
    validate.require(not wrong, f"`{name}` must be {getattr(kind, '__name__', kind)}; received {value!r:.80}")
    return value


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
