"""A trial of the generality benchmark: one player on one task, all seeds, as a file that says how to make it again."""

from __future__ import annotations

import hashlib
import json
import platform
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from benchmarks import players, sb3
from benchmarks.arguments import with_changes
from benchmarks.learning_report import file_name
from benchmarks.linear import LR, linear_twin
from benchmarks.pool import PoolTask
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.files import write_whole
from rstdp_agents.base.settings import flat, override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.config import RunConfig, source_of
from rstdp_agents.training.interaction import Player
from rstdp_agents.training.presets import preset
from rstdp_agents.training.ranged import with_range

CONFIGURED = ("agent", "frozen", "linear", "preset")
"""Ours with one setting; its twin that does not learn; one without spikes; ours with the preset of the task."""
PLAYERS = (*CONFIGURED, "random", *sb3.ALGORITHMS)
Curve = list[tuple[float, int]]
"""Return of every episode of one seed, and the env step in which it ended."""


@dataclass(frozen=True)
class Setting:
    """What own players are made from, whatever the task: the defaults of a rule, and changes to them."""

    rule: str = "rstdp-et"
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """One player on one task. ``name``: of the task in the pool."""

    name: str
    task: PoolTask
    player: str
    seeds: tuple[int, ...]
    setting: Setting = Setting()

    @property
    def config(self) -> AgentConfig | None:
        """Settings of the agent that a player is, or is a twin of; None for players that have none."""
        if self.player not in CONFIGURED:
            return None
        rule, task = self.setting.rule, self.task
        if self.player == "preset":
            return preset(task.env, rule, task.env_kwargs, task.wrapper).agent
        return with_changes(preset("", rule).agent, self.setting.changes)

    @property
    def made_from(self) -> dict[str, Any]:
        """All that the returns depend on, but for the versions of packages; plain JSON."""
        task = {name: value for name, value in asdict(self.task).items() if name not in ("kind", "pool")}
        settings = flat(asdict(self.config)) if self.config else {}
        extra = {"linear_lr": LR} if self.player == "linear" else {}
        made = {"player": self.player, "seeds": self.seeds, **task, "settings": {**settings, **extra}}
        return json.loads(json.dumps(made))

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits of what the trial is made from."""
        return hashlib.sha256(json.dumps(self.made_from, sort_keys=True).encode()).hexdigest()[:8]

    def file(self, folder: Path) -> Path:
        """Where it is kept: another setting, seeds or steps are another file; a later setting at its default is none."""
        name = file_name(self.name).replace(",", "").replace(" ", "-")
        found = (
            each for each in sorted((folder / self.player).glob(f"{name}_????????.json")) if self._is_kept_in(each)
        )
        return next(found, folder / self.player / f"{name}_{self.fingerprint}.json")

    def _is_kept_in(self, file: Path) -> bool:
        """Whether a file of this player and task holds what this trial would give."""
        kept, now = json.loads(file.read_text())["made_from"], self.made_from
        then = kept.pop("settings")
        defaults = json.loads(json.dumps(flat(asdict(AgentConfig()))))
        settings = now.pop("settings")
        later = {name: defaults.get(name) for name in settings.keys() - then.keys()}
        return kept == now and then | later == settings


def run(trial: Trial) -> list[Curve]:
    """Play; a curve for each seed.

    Raises ValueError where a package is absent, and where the player has no such actions.
    """
    made = trial.task.run(RunConfig())
    source, kwargs = source_of(made)
    if trial.player in sb3.ALGORITHMS:
        return [sb3.learn(trial.player, source, kwargs, seed, trial.task.steps) for seed in trial.seeds]
    envs = SerialGrid(source, kwargs, len(trial.seeds), 1)
    if (config := trial.config) is not None:
        made = override(made, {"agent": config, "seed": trial.seeds[0], "progress": False})
        config = with_range(made, envs.observation_space, source, kwargs).agent
    curves: list[Curve] = [[] for _ in trial.seeds]
    for ended in players.episodes(_player(trial, config, envs), envs, trial.seeds, trial.task.steps):
        for episode in ended:
            curves[episode.agent].append((episode.episode_return, episode.step))
    envs.close()
    return curves


def _player(trial: Trial, config: AgentConfig | None, envs: SerialGrid) -> Player:
    if config is None:
        return players.Random(envs.action_space, trial.seeds)
    if trial.player == "linear":
        return linear_twin(config, envs, trial.seeds)
    return players.spiking(config, envs, trial.seeds, frozen=trial.player == "frozen")


def keep(trial: Trial, folder: Path) -> None:
    """Run a trial on one thread, and write its file."""
    torch.set_num_threads(1)
    flush_denormal()
    start = time.time()
    curves = run(trial)
    made = {"seconds": round(time.time() - start), "machine": platform.machine(), "versions": _versions()}
    returns, ends = ([[entry[i] for entry in curve] for curve in curves] for i in (0, 1))
    content = {"task": trial.name, **made, "made_from": trial.made_from, "returns": returns, "ends": ends}
    write_whole(trial.file(folder), json.dumps(content) + "\n")


def _versions() -> dict[str, str]:
    """Of the packages that learn, and of Gymnasium."""
    packages = ("rstdp_agents", "torch", "gymnasium", "stable_baselines3")
    return {name: version(name) for name in packages if find_spec(name)}
