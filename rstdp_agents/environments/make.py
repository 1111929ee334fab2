"""One Gymnasium environment: how it is made, error messages if that fails, and its seeds."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import load_env_creator

from rstdp_agents.base import plugins
from rstdp_agents.base.errors import UsageError
from rstdp_agents.environments import namespaces
from rstdp_agents.environments.first_look import AsSeen, FirstLook, first_look
from rstdp_agents.environments.guard import Guard
from rstdp_agents.environments.masks import MaskInObservation
from rstdp_agents.environments.own_tasks import load_own
from rstdp_agents.environments.source import EnvSource, Wrapped, env_spec, name_of

load_own()

_looks: dict[tuple[EnvSource, str], FirstLook] = {}
"""First looks at the environments made so far."""


def make_env(source: EnvSource, kwargs: Mapping[str, Any]) -> gym.Env:
    """One environment, inside a `Guard`.

    kwargs: arguments of its constructor; ``max_episode_steps`` replaces its own time limit. Raises UsageError with the
    nearest ids, the constructor's parameters, or the constructor's message.
    """
    key = source, repr(sorted((name, value) for name, value in kwargs.items() if name != "render_mode"))
    if (
        key not in _looks
    ):  # once, in a separate env that is closed before this one opens: there may be a single simulator
        unseen = {name: value for name, value in kwargs.items() if name != "render_mode"}
        _looks[key] = first_look(lambda: _wrapped(source, unseen), name_of(source))
    env, seen = _wrapped(source, kwargs), _looks[key]
    if seen.space is not None:
        env = AsSeen(env, seen.space)
    return Guard(MaskInObservation(env, seen.mask) if seen.mask else env, name_of(source))


def _wrapped(source: EnvSource, kwargs: Mapping[str, Any]) -> gym.Env:
    if not isinstance(source, Wrapped):
        return _bare(source, kwargs)
    env = _bare(source.env, kwargs)
    for name in source.wrappers:
        env = plugins.build("--wrapper", name, gym.Env, env)
    return env


def _bare(source: str | Callable[..., gym.Env], kwargs: Mapping[str, Any]) -> gym.Env:
    maker = _maker(source)
    if maker is None:
        module, colon, name = str(source).rpartition(":")
        namespaces.find(name, module + colon)
    try:
        env = _call(maker, kwargs) if maker else gym.make(str(source), disable_env_checker=True, **kwargs)
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        wrong = _unknown_argument(maker or _entry_point(source), kwargs) if isinstance(error, TypeError) else ""
        words = wrong or f"cannot be made: {_words(error)}"
        raise UsageError(f"environment {name_of(source)!r} {words}") from error
    if not isinstance(env, gym.Env):
        raise UsageError(f"environment {name_of(source)!r} must be a gymnasium.Env; received {env!r}")
    return env


def _maker(source: str | Callable[..., gym.Env]) -> Callable[..., gym.Env] | None:
    """What to call to make an environment; None for ids, which Gymnasium makes."""
    if not isinstance(source, str):
        return source
    if not plugins.is_plugin(source):
        return None
    plugins.imported(source, "--env")  # which may register ids
    return None if _is_id(source.partition(":")[2]) else plugins.load_maker(source, "--env", gym.Env)


def _is_id(name: str) -> bool:
    """Whether a name after a module is an id: Gymnasium knows it, or it names nothing in Python or handed in."""
    return name in gym.registry or not (name.replace(".", "").isidentifier() or set(name) & set("<("))


def _call(maker: Callable[..., gym.Env], kwargs: Mapping[str, Any]) -> gym.Env:
    arguments = dict(kwargs)
    steps = arguments.pop("max_episode_steps", None)
    env = maker(**arguments)
    return gym.wrappers.TimeLimit(env, steps) if steps and isinstance(env, gym.Env) else env


def _words(error: BaseException) -> str:
    """The message of Gymnasium or a constructor as it is; for anything unexpected, with its type and place."""
    expected = isinstance(error, (gym.error.Error, ImportError, ValueError, TypeError))
    return " ".join(str(error).split()) if expected else plugins.said(error)


def _entry_point(source: EnvSource) -> Callable[..., Any] | None:
    spec = env_spec(source)
    if spec is None or spec.entry_point is None:
        return None
    return load_env_creator(spec.entry_point) if isinstance(spec.entry_point, str) else spec.entry_point


def _unknown_argument(maker: Callable[..., Any] | None, kwargs: Mapping[str, Any]) -> str:
    """Words that list the constructor's parameters, if ``kwargs`` names others; else an empty text."""
    parameters = inspect.signature(maker).parameters.values() if maker else ()
    names = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    wrong = [name for name in kwargs if name not in (*names, "max_episode_steps")]
    if maker is None or not wrong or any(one.kind == one.VAR_KEYWORD for one in parameters):
        return ""
    near = difflib.get_close_matches(wrong[0], names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"has no argument {wrong[0]!r}{hint}; it takes {', '.join(names) or 'none'}"


def env_seeds(agent_seed: int, count: int, purpose: int = 0, first: int = 0) -> list[int]:
    """Seeds for ``count`` envs of one agent, starting at its ``first``; other purposes (1: evaluation) get separate seeds."""
    return np.random.SeedSequence([agent_seed, purpose]).generate_state(first + count)[first:].tolist()
