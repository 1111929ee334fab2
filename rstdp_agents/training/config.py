"""Every setting of a run, in frozen dataclasses: the same objects make the command line, config.json and TensorBoard's text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import gymnasium as gym
import tyro

from rstdp_agents.agent.config import AgentConfig, Backend
from rstdp_agents.base import validate
from rstdp_agents.base.plugins import handed_in
from rstdp_agents.environments.build import Vectorization
from rstdp_agents.environments.source import EnvSource, Instance, Wrapped, parse_kwargs

Launcher = Literal["local", "ray"]
EnvErrors = Literal["stop", "restart"]
COLUMNS = ("r", "l", "t", "agent")
"""Of monitor.csv: return, length, seconds since the run began, and which agent it was; then the numbers of `info`."""
MOST_THREADS = 1024
"""More than any machine has processors; OpenMP takes memory for each."""


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


def source_of(config: RunConfig, env: EnvSource | gym.Env | None = None) -> tuple[EnvSource, dict[str, Any]]:
    """What makes the environments of a run, ``env`` or what was handed in in place of the one it names, and their arguments."""
    kwargs = parse_kwargs(config.env_kwargs)
    if config.max_episode_steps:
        kwargs["max_episode_steps"] = config.max_episode_steps
    source = handed_in("--env", config.env, config.env) if env is None else env
    source = Instance(source) if isinstance(source, gym.Env) else source
    return (Wrapped(source, config.wrapper) if config.wrapper else source), kwargs  # pyright: ignore[reportArgumentType]
