"""From Python: train on an environment of one's own, load what was trained, evaluate it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base import plugins, validate
from rstdp_agents.base.devices import check_device
from rstdp_agents.base.errors import UsageError
from rstdp_agents.environments import EnvSource, Instance, make_env, name_of
from rstdp_agents.environments.source import id_of
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.configure import PARTS, check_known, configured
from rstdp_agents.training.evaluation import Evaluation, play
from rstdp_agents.training.loop import Callback, Training
from rstdp_agents.training.recorder import Recorder
from rstdp_agents.training.run import Run, Source, carried_out, load_run
from rstdp_agents.training.runs.folder import check_unused
from rstdp_agents.training.runs.reading import read_checkpoint
from rstdp_agents.training.runs.trust import Trust


def train(
    env: Source, folder: str | Path = "", *, rule: Any = None, modulator: Any = None, encoder: Any = None,
    decoder: Any = None, neuron: Any = None, hidden: int | Sequence[int] | None = None,
    settings: Mapping[str, Any] | None = None, config: RunConfig | None = None, callback: Callback | None = None,
    recorder: Recorder | None = None, **run: Any,
) -> Run:  # fmt: skip
    """Train on ``env``, evaluate, and return the run.

    env: a Gymnasium id, ``module:Class``, a class or a function that makes one; or an environment, for a single agent.
    folder: of the run, in which there is none yet; empty for a new one in ``runs``.
    rule, modulator, encoder, decoder, neuron: a name of the command line, ``module:Name``, or your own: a class or function,
    called with what docs/extending.md says (a dataclass of a rule or neuron: with the settings that it has fields for), or an
    instance, of which copies are made. None for the default.
    hidden: neurons of each hidden layer, first to last.
    settings: of the agent, by their names on the command line, ``{"plasticity.lr": 0.3}``.
    config: what all this changes; None for the one setting of the rule (`presets.preset`).
    callback: called with the `Training` at every point of the log (`RunConfig.points_every`); where it returns False, the run
    ends as on Ctrl-C, and can be resumed.
    recorder: keeps what happens inside of agents.
    run: other fields of `RunConfig`, such as ``agents=10, total_steps=20_000, seed=1, regime="cortical"``.

    Raises ValueError for wrong names and values, EnvironmentFault for an environment that does not keep to Gymnasium's interface.
    """
    validate.require(callback is None or callable(callback), f"`callback` must be a function; received {callback!r}")
    known = recorder is None or isinstance(recorder, Recorder)
    validate.require(known, f"`recorder` must be a Recorder; received {recorder!r}")
    is_env = isinstance(env, str | gym.Env) or callable(env)
    validate.require(
        is_env, f"`env` must be an id, an environment, or a class or function that makes one; received {env!r}"
    )
    parts = dict(zip(PARTS, (rule, modulator, encoder, decoder, neuron), strict=True))
    settings = {
        **(settings or {}),
        **({} if hidden is None else {"network.hidden": tuple(np.atleast_1d(hidden).tolist())}),
    }
    name = env if isinstance(env, str) else (isinstance(env, gym.Env) and id_of(env)) or plugins.hand_in("--env", env)
    found = configured(name, parts, settings, run, config)
    check_device(found.device)
    place = Path(folder).expanduser() if folder else None
    if place:
        check_unused(place)
    training = Training(replace(found, run_dir=str(place or "")), place, env=env)
    return carried_out(training, env, callback, recorder)


def load(path: str | Path, trust: bool = False, device: str | None = None, **parts: Any) -> Run:
    """The run of a run folder, at its last checkpoint, or at a checkpoint file.

    trust: import the code that the file names beyond Gymnasium and this package; without it such a file raises UsageError, and
    nothing of it is imported or called. device: the run's own if None. parts: env, rule, modulator, encoder, decoder, neuron, for
    those of a run that were handed to `train` in another process. Raises UsageError for a device that is not there, and
    CheckpointError naming what cannot be read.
    """
    path = Path(path).expanduser()
    return load_run(path, device=device, trust=Trust(trust, _handed_in(path, parts) if parts else frozenset()))


def evaluate(
    trained: Agent | Run, env: Source | None = None, episodes: int = 20, greedy: bool = True, seed: int | None = None
) -> Evaluation:
    """Episodes of every agent of a population without learning; printed as mean and 95 % interval.

    env: as in `train`; that of a run if None. seed: of the first agent's episodes; its own if None. Raises UsageError where the
    environment has other spaces than the agents have learnt with.
    """
    if isinstance(trained, Run) and env is None:
        return trained.evaluate(episodes, greedy, seed)
    if env is None:
        raise UsageError("`env` is needed for an agent; a run knows its own")
    validate.positive("episodes", episodes)
    agent = trained.agent if isinstance(trained, Run) else trained
    source = Instance(env) if isinstance(env, gym.Env) else env
    _check_spaces(agent, source)
    seeds = tuple(map(int, agent.random.seeds)) if seed is None else tuple(range(seed, seed + agent.agents))
    return Evaluation(*play(agent, source, {}, seeds, episodes, greedy), greedy)


def _handed_in(path: Path, parts: Mapping[str, Any]) -> frozenset[str]:
    """The names that a run has for parts which its caller hands in again, and which mean these from now on."""
    config = read_checkpoint(path).config
    named = {"env": config.env} | {part: _setting(config, setting) for part, setting in PARTS.items()}
    check_known("`load` has no argument", parts, named)
    for part, given in parts.items():
        if not plugins.is_plugin(named[part]):
            raise UsageError(f"`{part}` of {path} is {named[part]!r}, which is not handed in")
        plugins.hand_in(f"--{part}", given, named[part])
    return frozenset(named[part] for part in parts)


def _setting(config: RunConfig, name: str) -> str:
    value: Any = config.agent
    for step in name.split("."):
        value = getattr(value, step)
    return value


def _check_spaces(agent: Agent, source: EnvSource) -> None:
    if isinstance(source, Instance) and agent.agents > 1:
        raise UsageError(
            f"one environment serves one agent, not {agent.agents}: give its class, or a function that makes one"
        )
    env = make_env(source, {})
    spaces = env.observation_space, env.action_space
    env.close()
    if spaces != agent.spaces:
        raise UsageError(
            f"environment {name_of(source)!r} has the spaces {spaces[0]} and {spaces[1]}; the agents have learnt with "
            f"{agent.spaces[0]} and {agent.spaces[1]}"
        )
