"""Whose code a run may import: names in a settings file or a checkpoint are data, until the user says that they may be code.

Someone else's run may name any function of any package as its environment, its rule or its encoder. Without `--trust`, a file
can only select what belongs to Gymnasium and to this package, and what the same process was handed by its caller for the same
option (an environment: without arguments of the file).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import gymnasium as gym

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.plugins import handed_in, is_plugin
from rstdp_agents.base.wording import shown
from rstdp_agents.environments.own_tasks import load_own
from rstdp_agents.environments.source import value_of
from rstdp_agents.training.config import RunConfig

WRAPPERS = "gymnasium.wrappers:"
"""Prefix of Gymnasium's own wrappers, which take nothing but the environment."""
ENVIRONMENTS = ("gymnasium.envs.", "rstdp_envs.")
"""Modules of environments that may take arguments from a file."""


class Trust(NamedTuple):
    """Which code named by a file may be imported."""

    everything: bool = False
    """Whoever wrote the file is trusted like the author of a program."""
    named: frozenset[str] = frozenset()
    """Words of the command line: the user's own choice."""

    @classmethod
    def of_line(cls, everything: bool, words: Iterable[str]) -> Trust:
        """What a command line allows: everything, or the names on it, as words or after ``--option=``."""
        return cls(everything, frozenset(part for word in words for part in (word, word.partition("=")[2])))

    def check(self, config: RunConfig, file: Path) -> None:
        """Raise UsageError for settings from ``file`` that name code which may not be imported. Imports nothing itself."""
        names = [(option, name) for option, name in foreign(config) if name not in self.named]
        if names and not self.everything:
            listed = ", ".join(f"{option} {shown(name)}" for option, name in names)
            raise UsageError(
                f"{file} names code from outside this package: {listed}. It is imported only with `--trust`, which means that "
                "you trust whoever made this run as you would the author of a program, or if the same name is on the command "
                "line; from Python with `trust=True`, or if the part itself is handed in"
            )


def foreign(config: RunConfig) -> list[tuple[str, str]]:
    """Option and name of all code in a configuration that is of neither Gymnasium, this package nor the caller."""
    agent = config.agent
    parts = {
        "--rule": agent.rule, "--modulator": agent.modulator, "--encoder": agent.encoder.code, "--decoder": agent.decoder.code,
        "--neuron": agent.neuron.model,
    }  # fmt: skip
    found = [("--env", config.env)] if is_foreign_environment(config.env, may_name_code(config.env_kwargs)) else []
    found += [("--wrapper", name) for name in config.wrapper if not is_own_wrapper(name)]
    found += [(option, name) for option, name in parts.items() if is_plugin(name)]
    known = {option for option, name in found if handed_in(option, name) is not None}
    return [
        (option, name) for option, name in found if option not in known or (option == "--env" and config.env_kwargs)
    ]


def may_name_code(pairs: Iterable[str]) -> bool:
    """Whether arguments of an environment, ``key:value`` each, hold text, which may name code; numbers and truths do not."""
    values = [value_of(pair.partition(":")[2]) for pair in pairs]
    return not all(isinstance(value, int | float) for value in values)


def is_foreign_environment(env: str, by_arguments: bool) -> bool:
    """Whether an environment is made by code that a file must not choose.

    Any ``module:Name`` is. An id is looked up by Gymnasium, and was registered by an installed package; but arguments
    from a file that `may_name_code` may make an environment of another package import what they name.
    """
    if is_plugin(env) or not by_arguments:
        return is_plugin(env)
    load_own()
    spec = gym.registry.get(env)
    maker = spec.entry_point if spec else None
    module = maker if isinstance(maker, str) else getattr(maker, "__module__", "")
    return not f"{module}.".startswith(ENVIRONMENTS)


def is_own_wrapper(name: str) -> bool:
    """Whether ``name`` is one of Gymnasium's own wrapper classes."""
    wrapper = name.removeprefix(WRAPPERS)
    return name.startswith(WRAPPERS) and wrapper in gym.wrappers.__all__ and wrapper != "vector"
