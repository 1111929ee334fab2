"""Returns and lengths of episodes, and when an agent counts as having solved its task."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, NotRequired, TypedDict

import numpy as np

from rstdp_agents.codecs.transition import Transition

RECENT_EPISODES = 100
"""Consecutive training episodes over which a task must reach its threshold to count as solved."""
FIRST_EPISODES = 10
"""Episodes from the start of training, with which later ones are compared."""
CLEARLY = 2.0
"""Standard errors by which a mean must rise to count as better."""
ROUNDING = 1e-9
"""Relative tolerance (absolute below 1) by which a mean may miss a threshold through rounding alone."""


def of_episodes(*counts: int, window: int = RECENT_EPISODES) -> str:
    """Suffix for a mean of the last ``window`` episodes if there were fewer: " (of 23)", " (of 7 to 23)"; else an empty text.

    counts: episodes of each agent in the mean.
    """
    low, high = (min(window, bound(counts, default=window)) for bound in (min, max))
    one = f" (of {low})" if 0 < low < window else ""
    return f" (of {low} to {high})" if low < high else one


class Episode(NamedTuple):
    """One finished training episode."""

    agent: int
    episode_return: float
    length: int
    step: int
    """Env steps of this agent when it ended."""
    info: tuple[float, ...] = ()
    """Means of the numbers in `info` under each of `RunConfig.info_keywords`; nan if there were none."""


def mean(returns: Iterable[float]) -> float:
    """The mean, rounded once, so that it does not depend on the order."""
    returns = list(returns)
    return math.fsum(returns) / len(returns)


def reaches(value: float, threshold: float) -> bool:
    """Whether a mean return is at or above a threshold, up to `ROUNDING`."""
    return value >= threshold - ROUNDING * max(1.0, abs(threshold))


class RecordState(TypedDict):
    """`AgentRecord`, as JSON."""

    episodes: int
    recent: list[float]
    first: NotRequired[list[float]]
    lowest: NotRequired[float | None]
    highest: NotRequired[float | None]
    best_mean: float | None
    solved_at_episode: int | None
    solved_at_step: int | None


class TrackerState(TypedDict):
    """`EpisodeTracker` without its records, as JSON."""

    steps: int
    returns: list[list[float]]
    began: list[list[int]]
    info: list[list[list[list[float]]]]


class AgentRecord:
    """What one agent has achieved so far."""

    def __init__(self) -> None:
        self.episodes = 0
        self.recent: deque[float] = deque(maxlen=RECENT_EPISODES)
        self.first: list[float] = []
        """Returns of the first `FIRST_EPISODES` episodes."""
        self.lowest: float | None = None
        """Lowest return of all, as `highest`; None before the first episode has ended."""
        self.highest: float | None = None
        self.best_mean: float | None = None
        self.solved_at_episode: int | None = None
        self.solved_at_step: int | None = None

    def add(self, episode: Episode, threshold: float | None) -> None:
        """Count one more episode."""
        value = episode.episode_return
        self.episodes += 1
        self.recent.append(value)
        if len(self.first) < FIRST_EPISODES and self.episodes == len(self.first) + 1:
            self.first.append(value)
        self.lowest = value if self.lowest is None else min(self.lowest, value)
        self.highest = value if self.highest is None else max(self.highest, value)
        if len(self.recent) < RECENT_EPISODES:
            return
        last = mean(self.recent)
        self.best_mean = last if self.best_mean is None else max(self.best_mean, last)
        if threshold is not None and self.solved_at_episode is None and reaches(last, threshold):
            self.solved_at_episode, self.solved_at_step = self.episodes, episode.step

    @property
    def final_mean(self) -> float | None:
        """Mean return of the last episodes, up to 100; None before the first one has ended."""
        return mean(self.recent) if self.recent else None

    @property
    def has_improved(self) -> bool | None:
        """Whether the last returns, up to 100, are clearly above the first ones; None where there are too few to tell."""
        if len(self.first) < FIRST_EPISODES or self.episodes < 2 * FIRST_EPISODES:
            return None
        last = list(self.recent)[FIRST_EPISODES - self.episodes :]  # those that are not among the first
        error = math.sqrt(sum(np.var(returns, ddof=1) / len(returns) for returns in (self.first, last)))
        return mean(last) - mean(self.first) > CLEARLY * error

    def to_json(self) -> RecordState:
        """The record for a checkpoint."""
        return {
            "episodes": self.episodes, "recent": list(self.recent), "first": list(self.first),
            "lowest": self.lowest, "highest": self.highest, "best_mean": self.best_mean,
            "solved_at_episode": self.solved_at_episode, "solved_at_step": self.solved_at_step,
        }  # fmt: skip

    @classmethod
    def from_json(cls, data: RecordState) -> AgentRecord:
        """The record that `to_json` wrote."""
        record = cls()
        vars(record).update({**data, "recent": deque(data["recent"], maxlen=RECENT_EPISODES)})
        return record


class EpisodeTracker:
    """Accumulates rewards, and numbers of `info` under the given number of keywords, per episode of a grid ``(agents, envs)``."""

    def __init__(self, agents: int, envs: int, threshold: float | None, keywords: int = 0) -> None:
        self.threshold = threshold
        self.records = [AgentRecord() for _ in range(agents)]
        self._return = np.zeros((agents, envs))
        self._began = np.zeros((agents, envs), dtype=np.int64)
        self._info = np.zeros((agents, envs, keywords, 2))  # sum, and how many
        self._steps = 0

    def add(self, t: Transition, step: int) -> list[Episode]:
        """Count one env step, the terminal reward included; returns the episodes that it ended.

        Envs that only restarted took no step, so it does not count for them.
        """
        ended = self.ended(t, step)
        for episode in ended:
            self.records[episode.agent].add(episode, self.threshold)
        return ended

    def unrewarded(self) -> np.ndarray:
        """Agents of which every return so far is zero, that of the episodes in progress included: ``(agents,)`` bool."""
        nothing = [not record.lowest and not record.highest for record in self.records]
        return np.array(nothing) & ~self._return.any(1)

    def ended(self, t: Transition, step: int) -> list[Episode]:
        """As `add`, without adding the episodes to the records."""
        self._steps += 1
        if self._return.size == 1:
            self._return[0, 0] = self._return.item() + t.reward.item()  # a fifth of the time of the line below
        else:
            self._return += t.reward
        if t.info is not None:
            self._info += np.stack([np.nan_to_num(t.info), ~np.isnan(t.info)], -1)
        if t.restarted is not None:
            self._begin(t.restarted)
        if not t.any_done:
            return []
        ended, done = [], t.terminated | t.truncated
        for agent, env in np.argwhere(done):
            length = self._steps - int(self._began[agent, env])
            info = tuple(float(total / n) if n else math.nan for total, n in self._info[agent, env])
            ended.append(Episode(int(agent), float(self._return[agent, env]), length, step, info))
        self._begin(done)
        return ended

    def forget(self) -> None:
        """Drop the episodes in progress: all begin again."""
        self._begin(np.ones(self._began.shape, dtype=bool))

    def to_json(self) -> TrackerState:
        """Everything but the records, for a checkpoint."""
        returns, began = self._return.tolist(), self._began.tolist()
        return {"steps": self._steps, "returns": returns, "began": began, "info": self._info.tolist()}

    def load(self, records: list[RecordState], data: TrackerState) -> None:
        """Restore what `to_json` of the records and of the tracker returned. Raises ValueError for another shape."""
        if len(records) != len(self.records):
            raise ValueError(f"it holds {len(records)} agents, expected {len(self.records)}")
        self.records = [AgentRecord.from_json(record) for record in records]
        self._steps = data["steps"]
        self._return[:], self._began[:] = data["returns"], data["began"]
        self._info[:] = np.reshape(data["info"], self._info.shape)

    def _begin(self, where: np.ndarray) -> None:
        self._return[where] = 0.0
        self._began[where] = self._steps
        self._info[where] = 0.0
