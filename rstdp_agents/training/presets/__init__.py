"""The one setting of every rule, and what a few environments change in it."""

from __future__ import annotations

from typing import Any

from rstdp_agents.base.settings import override
from rstdp_agents.environments.source import parse_kwargs
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.presets.found import PRESETS, RULES, SERVES
from rstdp_agents.training.presets.regimes import REGIMES, RULES_IN

SHOWN = {"map_dims"}
"""Fields of a preset that change what is shown alone."""
ALWAYS = {"render_mode": (), "max_episode_steps": ()}
"""Arguments that never change the task."""


def preset(
    env: str, rule: str, env_kwargs: tuple[str, ...] | None = None, wrapper: tuple[str, ...] = (), regime: str = "fast"
) -> RunConfig:
    """The configuration that a run of ``rule`` on ``env`` starts from: the one setting of the rule, or the preset of both.

    regime: of `regimes.REGIMES`. Raises ValueError for one that there is not.

    env_kwargs, wrapper: as in `RunConfig`, if given; where they make it a different environment from the one that the preset
    was found for (see `other`), the one setting is as good a guess.
    """
    of_rule = {**RULES.get(rule, {}), **RULES_IN.get(regime, {}).get(rule, {})}
    config = override(
        RunConfig(), {"env": env, "agent.rule": rule, "regime": regime, **REGIMES.get(regime, {}), **of_rule}
    )
    return config if other(env, rule, env_kwargs, wrapper) else override(config, found_for(env, rule))


def found_for(env: str, rule: str) -> dict[str, Any]:
    """Settings that were found for a rule on an environment; empty if there are none."""
    return PRESETS.get(key(env), {}).get(rule, {})


def key(env: str) -> str:
    """Name of an environment in `PRESETS`: with or without the module that registers its id."""
    return next((one for one in PRESETS if one.rpartition(":")[2] == env.rpartition(":")[2]), env)


def origin(
    env: str, rule: str, env_kwargs: tuple[str, ...] | None = None, wrapper: tuple[str, ...] = (), regime: str = "fast"
) -> str:
    """Where the settings of `preset` come from, in words."""
    one = f"the one setting of {rule}" + (f", {regime} regime" if regime != "fast" else "")
    if set(found_for(env, rule)) <= SHOWN:
        return one
    changed = other(env, rule, env_kwargs, wrapper)
    return f"{one}: no preset for {env} {changed}" if changed else f"preset {env}, {rule}" + one.partition(rule)[2]


def other(env: str, rule: str, env_kwargs: tuple[str, ...] | None, wrapper: tuple[str, ...]) -> str:
    """How an environment differs from the one that its preset was found for: "with continuous=True"; empty if it does not."""
    if not found_for(env, rule):
        return ""
    found = parse_kwargs(found_for(env, rule).get("env_kwargs", ()))
    given = found if env_kwargs is None else parse_kwargs(env_kwargs)
    served = {**ALWAYS, **SERVES.get(key(env), {}), **{name: (value,) for name, value in found.items()}}
    changes = [f"{name}={value!r}" for name, value in given.items() if not _serves(served.get(name), value)]
    lacks = [f"{name}={value!r}" for name, value in found.items() if name not in given]
    words = [*changes, *(f"the wrapper {name}" for name in wrapper)]
    both = [f"with {', '.join(words)}"] * bool(words) + [f"without {', '.join(lacks)}"] * bool(lacks)
    return " and ".join(both)


def _serves(values: tuple[Any, ...] | None, value: Any) -> bool:
    return values == () or (values is not None and value in values)
