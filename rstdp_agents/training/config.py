"""Every setting of a run, in frozen dataclasses: the same objects define the command line, config.json and TensorBoard's text."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal, get_args

import gymnasium as gym
import tyro

from rstdp_agents.agent.config import AgentConfig, BackendName
from rstdp_agents.base import validate
from rstdp_agents.base.plugins import handed_in
from rstdp_agents.base.settings import flat
from rstdp_agents.environments.build import Vectorization
from rstdp_agents.environments.source import EnvSource, Instance, Wrapped, parse_kwargs

Launcher = Literal["local", "ray"]
EnvErrors = Literal["stop", "restart"]
Regime = Literal["fast", "cortical"]
Clock = Literal["regime", "env"]
COLUMNS = ("r", "l", "t", "agent")
"""Columns of monitor.csv: return, length, seconds since the run began, and the agent; then the numbers of `info`."""
MOST_THREADS = 1024
"""More than any machine has processors; OpenMP allocates memory for each."""


@dataclass(frozen=True)
class TaskConfig:
    """What to train, on which environment, for how long, and in which folder."""

    env: str = "CartPole-v1"
    """Gymnasium id, `module:Id`, or `module:Class` (or a function that makes an environment)."""
    env_kwargs: tuple[str, ...] = ()
    """Arguments of the environment as key:value pairs. Values are Python or JSON literals, or true, false, yes,
    no, on, off, none, null, nan, inf in any case, nested ones included; anything else is text, like `4x4`, `12:30`
    and nothing after the colon, and so is anything in quotes ("'false'")."""
    wrapper: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """`module:Class` of a wrapper around the environment; the last one given is the outermost."""
    regime: Regime = "fast"
    """Neurons at hundreds of Hz, or as a cortex has them (docs/regimes.md)."""
    clock: Clock = "regime"
    """An env step lasts for `simulation.ticks`, or a frame of the environment (its `render_fps`)."""
    max_episode_steps: int = 0
    """Steps after which an episode is truncated, instead of the environment's own limit; 0 for that."""
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
    """Run folder or checkpoint to resume; its settings become the defaults."""
    progress: bool = True
    """Show a progress bar."""


@dataclass(frozen=True)
class MachineConfig:
    """How a run uses the machine."""

    vectorization: Vectorization = "auto"
    """How environments are stepped.
    serial: one after the other. async: each in its own process. envpool: EnvPool's compiled environments.
    vector: the environment's own vector implementation, one for all agents; start states then depend on the population, unless it
    takes a seed per row, as those of this project do.
    auto: the environment's vector implementation, if it has one: from 16 envs in all if it takes a seed per row, else one per
    agent, from 16 envs per agent; otherwise serial."""
    env_errors: EnvErrors = "stop"
    """What happens when an environment fails: stop ends the run after a checkpoint; restart counts the fault, begins
    new episodes everywhere and continues, unless it fails again at once."""
    env_timeout: float = 0.0
    """Seconds that an environment may take for a step or a reset before it counts as failed (async only: a process can
    be abandoned); 0 for no limit."""
    device: str = "cpu"
    """Torch device."""
    backend: BackendName = "auto"
    """Compiled code on the CPU (fused), torch on any device (torch), or fused wherever it supports the settings (auto)."""
    threads: int = 1
    """CPU threads, for torch and for compiled code, which splits the agents of a population over them where that pays."""
    launcher: Launcher = "local"
    """Train here (local), or spread the agents over a Ray cluster (ray); if there is none, one is started on this machine."""
    storage: str = ""
    """Where the shards of a population on a cluster are kept: a path or URI that all its machines reach; empty for run_dir."""


@dataclass(frozen=True)
class RecordConfig:
    """What to keep of a run: evaluations, checkpoints, TensorBoard."""

    eval_episodes: int = 20
    """Episodes per agent in the closing evaluation, for the greedy and the stochastic policy each; 0 for none."""
    eval_every: int = 0
    """Env steps per agent between greedy evaluations during training, each with a checkpoint; the best one is
    kept in best/; 0 for none."""
    checkpoint_every: int = 100_000
    """Env steps per agent between checkpoints; one is always written at the end."""
    keep_checkpoints: int = 3
    """Number of newest checkpoints to keep; 0 for all."""
    log_every: int = 0
    """Env steps per agent between points in TensorBoard; 0 for a 250th of the run, and 2,000 at least."""
    info_keywords: tuple[str, ...] = ()
    """Numbers in `info` at the end of an episode, or of a trial (neurogym): they become columns of
    monitor.csv, as in Stable-Baselines3's Monitor, and curves in TensorBoard."""
    images: int = 2
    """How many times a run draws raster, maps and weight histograms: the last time at its end, earlier only if at least a
    million env steps lie between two drawings; 0 for never."""
    map_dims: tuple[int, int] = (0, 1)
    """The two observation dimensions that the value and policy maps show."""


@dataclass(frozen=True)
class RunConfig(RecordConfig, MachineConfig, TaskConfig):
    """A run: the environment, its length, its folder, what it keeps, and the agent."""

    agent: Annotated[AgentConfig, tyro.conf.arg(name="")] = field(default_factory=AgentConfig)

    def __post_init__(self) -> None:
        for name in ("total_steps", "agents", "envs_per_agent", "threads", "checkpoint_every"):
            validate.positive(name, getattr(self, name))
        counts = "seed", "eval_episodes", "eval_every", "keep_checkpoints", "log_every", "images", "max_episode_steps"
        for name in counts:
            validate.not_negative(name, getattr(self, name))
        validate.one_of("regime", self.regime, get_args(Regime))
        validate.one_of("clock", self.clock, get_args(Clock))
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
    def points_every(self) -> int:
        """Env steps per agent between points in TensorBoard."""
        return self.log_every or max(2_000, self.total_steps // 250)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seed of every agent."""
        return tuple(range(self.seed, self.seed + self.agents))


def source_of(config: RunConfig, env: EnvSource | gym.Env | None = None) -> tuple[EnvSource, dict[str, Any]]:
    """The source of a run's environments (``env``, or what was handed in, overrides the one it names), and their arguments."""
    kwargs = parse_kwargs(config.env_kwargs)
    if config.max_episode_steps:
        kwargs["max_episode_steps"] = config.max_episode_steps
    source = handed_in("--env", config.env, config.env) if env is None else env
    source = Instance(source) if isinstance(source, gym.Env) else source
    return (Wrapped(source, config.wrapper) if config.wrapper else source), kwargs  # pyright: ignore[reportArgumentType]


def by_option(config: RunConfig) -> dict[str, Any]:
    """All settings, by their names on the command line (with underscores for hyphens)."""
    return {name.removeprefix("agent."): value for name, value in flat(asdict(config)).items()}
