"""What an exported file says about the agent in it."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from rstdp_agents.config import RunConfig


def describe(config: RunConfig, index: int, step: int, **more: Any) -> str:
    """JSON: environment, rule, and every setting of the agent, of which encoder, decoder and windows stay with the reader."""
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
