"""From what Python hands to `train` to the configuration of a run: names in place of parts, settings by their names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any, get_args

import numpy as np

from rstdp_agents.base import plugins
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import flat, from_json
from rstdp_agents.spiking.plasticity import RULES
from rstdp_agents.spiking.plasticity.options import RuleName
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.presets import preset

PARTS = {
    "rule": "rule", "modulator": "modulator", "encoder": "encoder.code", "decoder": "decoder.code", "neuron": "neuron.model",
}  # fmt: skip
"""Settings that name the parts of an agent, by what the command line calls them."""
NOT_GIVEN = ("agent", "env", "run_dir", "resume", "launcher", "storage")
"""Fields of a run that `train` has other arguments for, or none, for the command alone starts clusters."""
FIELDS = tuple(f.name for f in fields(RunConfig) if f.name not in NOT_GIVEN)
"""Fields of a run that are arguments of `train` by their own names."""
OTHERS = ("folder", "hidden", "settings", "config", "callback", "recorder")
"""The other arguments of `train`."""
DEFAULT: RuleName = "rstdp-et"
"""Whose setting a rule of one's own starts from."""


def configured(
    env: str, parts: Mapping[str, Any], settings: Mapping[str, Any], run: Mapping[str, Any], start: RunConfig | None
) -> RunConfig:
    """The configuration of a run on ``env``.

    parts: by the keys of `PARTS`; None for the default. settings: of the agent, by their dotted names. run: `FIELDS`. start: what
    they change, in place of `presets.preset`. Raises UsageError for names that there are not, with those that are near, and
    ValueError for values that cannot be.
    """
    named = {name: name_of(name, part) for name, part in parts.items() if part is not None}
    rule = named.get("rule", DEFAULT)
    task = tuple(run["env_kwargs"]) if "env_kwargs" in run else None, tuple(run.get("wrapper", ()))
    regime = str(run.get("regime", start.regime if start else "fast"))
    if start and start.regime != regime:
        raise UsageError(f"`regime` is {start.regime} in the `config` that is given, and cannot become {regime}")
    config = start or preset(env, rule if rule in get_args(RuleName) else DEFAULT, *task, regime)
    known = flat(asdict(config.agent))
    check_known("`train` has no argument", run, (*FIELDS, *parts, *OTHERS), known)
    check_known("`settings` has no", settings, known, known)
    changes = {**run, "env": env, "run_dir": "", "resume": ""}
    changes |= {f"agent.{name}": value for name, value in settings.items()}
    changes |= {f"agent.{PARTS[name]}": value for name, value in named.items()}
    return from_json(RunConfig, nested({**flat(asdict(config)), **{name: plain(v) for name, v in changes.items()}}))


def name_of(what: str, part: Any) -> str:
    """The name of a part of an agent in settings: as it is, that of a rule of ours, or of what is handed in from now on."""
    if isinstance(part, str):
        return part
    own = {kind: name for name, kind in RULES.items()} if what == "rule" and isinstance(part, type) else {}
    return own.get(part) or plugins.hand_in(f"--{what}", part)


def check_known(words: str, given: Iterable[str], known: Iterable[str], settings: Iterable[str] = ()) -> None:
    """Raise UsageError, which begins with some words, for a name that is not ``known``, with one that may have been meant.

    settings: names that are none of these, and may have been meant all the same.
    """
    known = list(known)
    for name in given:
        if name not in known:
            leaves = [f"settings={{{one!r}: ...}}" for one in settings if one.rpartition(".")[2] == name]
            near = [repr(one) for one in difflib.get_close_matches(name, known, n=1)] or leaves
            raise UsageError(f"{words} {name!r}{f' (did you mean {near[0]}?)' if near else ''}")


def nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What `settings.flat` made flat."""
    out: dict[str, Any] = {}
    for name, value in settings.items():
        *groups, last = name.split(".")
        place = out
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return out


def plain(value: Any) -> Any:
    """Numbers and arrays of NumPy as those of Python."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return type(value)(map(plain, value)) if type(value) in (list, tuple) else value
