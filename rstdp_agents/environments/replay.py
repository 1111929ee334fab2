"""Environments that can be restored to where they were, in the middle of an episode.

What an environment carries over from episode to episode is restored from plain data (`environments.state`); the episode in
progress is repeated from there with the same actions, which restores everything else. The results are compared by digests.
"""

from __future__ import annotations

import logging
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import VectorEnv

from rstdp_agents.base.json_values import digest, from_plain, to_plain
from rstdp_agents.environments.learnt import FreshWrappers, Learnt, layers, teach
from rstdp_agents.environments.recorded_actions import Actions
from rstdp_agents.environments.state import State, changed, put_state, state_of, unlike, weight

logger = logging.getLogger(__name__)
ARRAYS = (np.ndarray, np.generic)
MASKS = np.dtype(np.int8)
NOTE_EVERY = 2048
"""Steps after which a reset records the state again, or more for an env with a large state (`PER_NUMBER`); until then shorter
episodes are repeated one after the other."""
PER_NUMBER = 32
"""Steps between two records for each number in the state, which keeps their cost negligible."""
ROOM = 8 * 2**20
"""Bytes of actions that a checkpoint holds, for all its environments together; longer episodes are not repeated."""


class Replayable(gym.Wrapper):
    """Records what is needed to repeat the episode in progress: seed, state at its start, and the actions since.

    index: which of several envs' snapshots `repeat` takes. room: bytes for actions.
    """

    def __init__(self, env: gym.Env, index: int = 0, room: int = ROOM) -> None:
        super().__init__(env)
        self._index = index
        self._actions = Actions(env.action_space)
        self._every = max(NOTE_EVERY, PER_NUMBER * sum(map(weight, layers(env))))
        self._most = max(self._every, room // self._actions.size)
        self._rewards = array("d")
        self._resets: list[int] = []
        self._ends: list[tuple[int, bool, bool]] = []
        self._infos = 0
        self._born = [state_of(layer) for layer in layers(env)]
        self._fresh_wrappers = FreshWrappers(env)
        self._record_action, self._record_reward = self._actions.add, self._rewards.append
        self._seed: int | None = None
        self._start: list[State] | None = None
        self._lost = False
        self._obs: Any = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        if seed is None and not self._lost and len(self._rewards) + len(self._resets) < self._every:
            self._resets.append(len(self._rewards))
        else:
            self._start_record(seed)
        self._obs, info = self.env.reset(seed=seed, options=options)
        return self._obs, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._record_action(action)  # before the env can change it
        result = self.env.step(action)
        reward: Any
        self._obs, reward, ended, cut, info = result
        self._record_reward(reward)
        if ended or cut:
            self._ends.append((len(self._rewards), bool(ended), bool(cut)))
        if info:
            self._infos = checksum(info, self._infos)
        return result

    def snapshot(self) -> dict[str, Any]:
        """The env's state: plain data, and arrays of numbers. Raises ValueError or TypeError saying what cannot be saved."""
        if self._lost or len(self._rewards) > self._most:
            self._clear()
            self._lost = True  # until an episode begins
            raise ValueError(f"an episode of more than {self._most:,} steps is not repeated")
        return {
            "seed": self._seed,
            "start": self._start,
            "resets": np.array(self._resets, np.int64),
            "actions": self._actions.records(),
            "came": self._digests(),
            "state": self._carried(large=True),
        }

    def learnt(self) -> Learnt:
        """What the wrappers of the env have learnt."""
        return self._fresh_wrappers.learnt()

    def teach(self, learnt: list[Learnt]) -> None:
        """Give the wrappers of the env what its entry of ``learnt``, one per env, says."""
        teach(self.env, learnt[self._index])

    def repeat(self, snapshots: list[dict[str, Any]]) -> str:
        """Bring a fresh env to the state of its snapshot; returns why that failed, or an empty text."""
        try:
            snapshot = snapshots[self._index]
            if "actions" not in snapshot:
                return "they are stepped in another way now"
            return self._repeat(snapshot)
        except Exception as error:  # whatever an env may raise
            return f"{type(error).__name__}: {error}"

    def _repeat(self, snapshot: dict[str, Any]) -> str:
        self._put([{} for _ in self._born], everything=True)  # others may have changed what classes share
        self.reset(seed=snapshot["seed"])
        if snapshot["start"] is not None:
            self._start = snapshot["start"]
            self._put(snapshot["start"], everything=True)
            self._obs, _ = self.env.reset()
        resets = Counter(snapshot["resets"].tolist())
        for i, action in enumerate(self._actions.values(snapshot["actions"])):
            self._reset_times(resets[i])
            self.step(action)
        self._reset_times(resets[len(self._rewards)])
        now, before = self._digests(), snapshot["came"]
        differ = [what for what in now if now[what] != before[what]]
        if differ == ["infos"]:
            logger.warning("a repeated episode had different infos (from which nothing is learnt); it continues")
        elif differ:
            return f"the same actions from the same state led to different {' and '.join(differ)}"
        return self._put(snapshot["state"], everything=False)

    def _reset_times(self, times: int) -> None:
        for _ in range(times):
            self.reset()

    def _put(self, states: list[State], everything: bool) -> str:
        """Restore every layer's state, and the initial values of whatever else steps have changed (or of everything else).

        Returns which value could not be saved and has changed, or an empty text.
        """
        for layer, born, state in zip(layers(self.env), self._born, states, strict=True):
            others = born if everything else changed(born, state_of(layer, large=False))
            put_state(layer, {**others, **state})
            large = unlike(layer, state)
            if large:
                return f"{large[0].lstrip('.')} of {type(layer).__name__} is too large to be saved, and has changed"
        return ""

    def _digests(self) -> dict[str, str]:
        """Digests of the results of the actions."""
        rewards, ends = np.array(self._rewards), np.array(self._ends, np.int64)
        return {
            "rewards": digest(rewards), "ends of episodes": digest(ends), "observations": digest(self._obs),
            "infos": f"{self._infos:x}",
        }  # fmt: skip

    def _carried(self, large: bool) -> list[State]:
        """What has changed in every layer since the env was made."""
        return [changed(state_of(layer, large), born) for layer, born in zip(layers(self.env), self._born, strict=True)]

    def _start_record(self, seed: int | None) -> None:
        """Begin a new record: with a seed, or with what the env carries over from earlier episodes."""
        if seed is None:
            self._start = self._carried(large=False)
        else:
            self._seed, self._start = seed, None
        self._clear()
        self._lost = False

    def _clear(self) -> None:
        self._actions.clear()
        del self._rewards[:]
        self._resets.clear()
        self._ends.clear()
        self._infos = 0


def checksum(info: Mapping[Any, Any], so_far: int) -> int:
    """A running checksum over the numbers, texts and arrays of an `info` and those before it."""
    for value in info.values():
        kind = type(value)
        if kind is float or kind is bool or kind is int or kind is np.float64:
            so_far = hash((so_far, value)) if value == value else so_far  # NaN hashes differently every time
        elif (kind is np.ndarray and value.dtype is MASKS) or (isinstance(value, ARRAYS) and value.dtype != object):
            so_far = zlib.crc32(value.tobytes(), so_far & 0xFFFFFFFF)
        elif isinstance(value, str):
            so_far = zlib.crc32(value.encode(), so_far & 0xFFFFFFFF)
        elif isinstance(value, Mapping):
            so_far = checksum(value, so_far)
    return so_far


def vector_snapshot(env: VectorEnv) -> dict[str, Any]:
    """All attributes of an own vector implementation; no steps are repeated. Raises TypeError for one that JSON cannot hold.

    An attribute may be a random generator, or a list of them, one per row for instance.
    """
    changing = {name: value for name, value in vars(env).items() if not isinstance(value, gym.Space | EnvSpec)}
    random = {
        name: [one.bit_generator.state for one in found] for name in changing if (found := _generators(env, name))
    }
    try:
        return {
            "random": {name: to_plain(states) for name, states in random.items()},
            "attributes": {name: to_plain(value) for name, value in changing.items() if name not in random},
        }
    except TypeError as error:
        raise TypeError(f"{type(env).__name__} has an attribute that cannot be saved: {error}") from error


def set_vector_snapshot(env: VectorEnv, snapshot: dict[str, Any]) -> tuple[str, ...]:
    """Bring a fresh vector env to the state of a `vector_snapshot`; returns reasons for failure, of which there are none."""
    env.reset(seed=0)
    for name, states in snapshot["random"].items():
        for generator, state in zip(_generators(env, name), from_plain(states), strict=True):
            generator.bit_generator.state = state
    vars(env).update({name: from_plain(plain) for name, plain in snapshot["attributes"].items()})
    return ()


def _generators(env: VectorEnv, name: str) -> list[np.random.Generator]:
    """The random generators that an attribute is, or lists; empty for any other."""
    value = env.np_random if name == "_np_random" else vars(env)[name]  # the former may be made only now
    each = value if isinstance(value, list) else [value]
    return each if all(isinstance(one, np.random.Generator) for one in each) else []


def snapshots(take: Callable[[], Any], learnt: Callable[[], list[Learnt]]) -> dict[str, Any]:
    """The result of ``take`` as ``envs``, or why it failed as ``lost``; and what wrappers have ``learnt``, if anything."""
    try:
        each = learnt()
        known = {"learnt": each} if each else {}
    except (TypeError, ValueError, AttributeError) as error:
        return {"lost": str(error)}
    try:
        return {"envs": take(), **known}
    except (TypeError, ValueError, AttributeError) as error:
        return {"lost": str(error), **known}


def first_failure(reasons: Iterable[str]) -> str:
    """The first that is not empty."""
    return next(filter(None, reasons), "")
