"""The metadata of an exported agent."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict
from typing import Any

from rstdp_agents.base.installation import version
from rstdp_agents.base.json_values import from_plain
from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.environments.state import value_of
from rstdp_agents.training.config import RunConfig


def describe(config: RunConfig, index: int, step: int, **more: Any) -> str:
    """JSON: environment, rule, and every setting of the agent; encoder, decoder and windows are left to the reader."""
    about = {
        "version": version("rstdp_agents"),
        "env": config.env,
        "env_kwargs": config.env_kwargs,
        "rule": config.agent.rule,
        "seed": config.seeds[index],
        "env_steps": step,
        "agent": asdict(config.agent),
    }
    return json.dumps({**about, **more})


def readable(learnt: Learnt) -> list[dict[str, Any]]:
    """What an env's wrappers have learnt, as numbers, texts and lists: a reader must transform observations as they did."""
    return [{"wrapper": one["wrapper"], "state": _state(one)} for one in learnt]


def _state(one: dict[str, Any]) -> Any:
    if "state_dict" in one:
        return _in_json(from_plain(one["state_dict"]))
    return {path: _in_json(value_of(plain)) for path, plain in one["attributes"].items()}


def _in_json(value: Any) -> Any:
    if hasattr(value, "tolist"):  # an array, a number of NumPy's, a tensor
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): _in_json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset, deque)):
        return [_in_json(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
