"""What a run finds in its first env steps, in two lines: the code, the observations, the rewards."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from torch import Tensor

from rstdp_agents.agent.agent import Agent
from rstdp_agents.codecs.encoders import Encoder
from rstdp_agents.codecs.encoders.composite import Composite
from rstdp_agents.codecs.encoders.counted import Counted
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition

STEPS, SECONDS = 200, 5.0
"""Env steps of each env, or time (s), after which enough is seen."""
ENVS = 16
"""Envs of the population whose observations are looked at."""
EVERY = 10
"""Env steps between two whose active inputs are counted."""
ACTIVE = 0.1
"""Share of the rate of the most active input from which an input counts as active."""
NAMED = 4
"""Most numbers of an observation whose ranges are listed one by one."""


class Introduction:
    """Looks at the first transitions of a run, and calls ``say`` with each of `lines` when it has seen enough."""

    def __init__(self, agent: Agent, say: Callable[[str], Any]) -> None:
        self._agent, self._say = agent, say
        self._steps, self._start = 0, 0.0
        self._low: np.ndarray = np.empty(0)
        self._high: np.ndarray = np.empty(0)
        self._rewards: list[np.ndarray] = []
        self._active: list[float] = []

    def see(self, t: Transition) -> bool:
        """One more env step; whether enough was seen, and said."""
        obs = t.obs.reshape(-1, *t.obs.shape[2:])[:ENVS]
        low, high = (extreme.reduce(obs, 0).reshape(-1) for extreme in (np.minimum, np.maximum))
        if not self._steps:  # before which code may have been compiled
            self._low, self._high, self._start = low, high, time.monotonic()
        self._low, self._high = np.minimum(low, self._low), np.maximum(high, self._high)
        self._rewards.append(t.reward.reshape(-1).copy())
        if self._steps % EVERY == 0:
            self._active.append(active_inputs(self._agent.features()))
        self._steps += 1
        if self._steps < STEPS and time.monotonic() - self._start < SECONDS:
            return False
        for line in self.lines():
            self._say(line)
        return True

    def lines(self) -> list[str]:
        """What was seen, in words."""
        inputs, active = self._agent.parts.inputs, float(np.mean(self._active))
        code = f"{code_name(self._agent.encoder)}, {inputs:,} inputs, {_number(active)} of them active at a time"
        steps = "env step" if self._steps == 1 else f"{self._steps} env steps"
        seen = f"in the first {steps}: {in_words(self._agent.parts.rows, self._low, self._high)}"
        return [f"code: {code} ({active / inputs:.1%})", f"{seen}; {rewards_in_words(np.concatenate(self._rewards))}"]


def active_inputs(rates: Tensor) -> float:
    """Mean number of active inputs over ``rates (agents, envs, pre)``."""
    return float((rates > ACTIVE * rates.amax(2, keepdim=True)).sum(2).double().mean())


def code_name(encoder: Encoder) -> str:
    """The name of an encoder's class, or of those of its parts, in words: "place cells"."""
    if isinstance(encoder, Counted):
        return code_name(encoder.encoder)
    if isinstance(encoder, Composite):
        return " and ".join(dict.fromkeys(code_name(part.encoder) for part in encoder.parts))
    return " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", type(encoder).__name__)).lower()


def in_words(rows: Rows, low: np.ndarray, high: np.ndarray) -> str:
    """Which numbers of an observation vary, and between which ends; low, high: of every number, flat, masks included."""
    if len(rows.leaves) == 1 and isinstance(rows.leaves[0].space, spaces.Discrete):
        return f"observations are one of {rows.leaves[0].space.n:,} values"
    columns = np.concatenate([np.arange(leaf.first, leaf.first + leaf.size) for leaf in rows.leaves] or [[]]).astype(
        int
    )
    ends = [(a, b) for a, b in zip(low[columns].tolist(), high[columns].tolist(), strict=True) if a < b]
    count = f"observations of {len(columns):,} number{'s' * (len(columns) > 1)}"
    if not ends:
        return f"{count}, none of which has varied"
    if len(ends) < len(columns):
        count += f", {len(ends):,} of which {'vary' if len(ends) > 1 else 'varies'}"
    shown = ends if len(ends) <= NAMED else [(min(a for a, _ in ends), max(b for _, b in ends))]
    return f"{count}, between {', '.join(f'{_number(a)} and {_number(b)}' for a, b in shown)}"


def rewards_in_words(rewards: np.ndarray) -> str:
    """The scale of some rewards, ``(n,)``."""
    low, high = float(rewards.min()), float(rewards.max())
    if low == high:
        return "no reward yet (all were 0)" if low == 0 else f"every reward was {_number(low)}"
    share = float((rewards != 0).mean())
    often = "" if share > 0.5 else f", {share:.1%} of them not 0"
    return f"rewards between {_number(low)} and {_number(high)}{often}"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}" if abs(value) < 1e7 else f"{value:.2g}"
