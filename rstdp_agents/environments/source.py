"""Sources of environments: what makes one, its name, and its Gymnasium spec."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from rstdp_agents.base import plugins
from rstdp_agents.base.errors import UsageError

WORDS = {
    "true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "none": None, "null": None,
    "nan": math.nan, "inf": math.inf, "infinity": math.inf,
}  # fmt: skip
"""Values of words in the arguments of an environment."""


@dataclass(frozen=True)
class Wrapped:
    """An environment with wrappers around it, the last one outermost."""

    env: str | Callable[..., gym.Env]
    wrappers: tuple[str, ...]
    """``module:Class`` of each: it takes an environment and returns one."""


class Instance:
    """A factory that lends one existing environment, to one user at a time."""

    def __init__(self, env: gym.Env) -> None:
        self.env = env

    def __call__(self) -> gym.Env:
        return Lent(self.env)


class Lent(gym.Wrapper):
    """An environment that belongs to the caller, who will close it."""

    def close(self) -> None:
        """Leave it open."""


EnvSource: TypeAlias = str | Callable[..., gym.Env] | Wrapped
"""A Gymnasium id, ``module:Id``, ``module:Class``, or a class or function that takes the arguments of the environment."""


def name_of(source: EnvSource) -> str:
    """Name of an environment in messages, in the configuration and on the command line."""
    if isinstance(source, str):
        return source
    if isinstance(source, Wrapped):
        return name_of(source.env)
    if isinstance(source, Instance):
        return name_of(type(source.env.unwrapped))
    return plugins.name_of(source) or getattr(source, "__qualname__", type(source).__name__)


def id_of(env: gym.Env) -> str | None:
    """The id that alone makes such an environment; None where arguments, wrappers or another time limit made it what it is."""
    spec = env.spec
    known = gym.registry.get(spec.id) if spec else None
    if spec is None or known is None or spec.additional_wrappers or spec.max_episode_steps != known.max_episode_steps:
        return None
    own = {name: value for name, value in spec.kwargs.items() if name != "render_mode"}
    return spec.id if own == {name: value for name, value in known.kwargs.items() if name != "render_mode"} else None


def env_spec(source: EnvSource) -> EnvSpec | None:
    """Gymnasium's spec of an environment that has been made; None if it is not registered."""
    if isinstance(source, Wrapped):
        return env_spec(source.env)
    if isinstance(source, Instance):
        return source.env.spec
    try:
        return gym.spec(source.rpartition(":")[2]) if isinstance(source, str) else None
    except gym.error.Error:
        return None


def time_limit(source: EnvSource) -> int | None:
    """Steps after which Gymnasium truncates an episode, if it does."""
    spec = env_spec(source)
    return spec.max_episode_steps if spec else None


def reward_threshold(source: EnvSource) -> float | None:
    """Mean return at which Gymnasium considers the task solved, if it says."""
    spec = env_spec(source)
    return spec.reward_threshold if spec else None


def parse_kwargs(pairs: tuple[str, ...]) -> dict[str, Any]:
    """``("key:value", ...)`` -> keyword arguments, see `value_of`. Raises UsageError for malformed pairs and repeated keys."""
    kwargs: dict[str, Any] = {}
    for pair in pairs:
        key, colon, text = pair.partition(":")
        if not colon or not key.isidentifier():
            raise UsageError(f"`--env-kwargs` takes key:value pairs; received {pair!r}")
        if key in kwargs:
            raise UsageError(f"`--env-kwargs` must give {key!r} once; received {kwargs[key]!r} and {value_of(text)!r}")
        kwargs[key] = value_of(text)
    return kwargs


def value_of(text: str) -> Any:
    """The value of ``text``: a Python or JSON literal, `WORDS` in any case, nested ones included; else the text itself."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's, about text that starts like a number
            return ast.literal_eval(_Words().visit(ast.parse(text.strip(), mode="eval")))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return text


class _Words(ast.NodeTransformer):
    """Replaces `WORDS` by their values."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        word = node.id.casefold()
        return ast.Constant(WORDS[word]) if word in WORDS else node
