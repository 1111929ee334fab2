"""Environments stepped one after the other, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
from gymnasium import spaces

from rstdp_agents.codecs.action_layout import Actions
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments.grid import check_finite, check_observations, check_step, rows_of
from rstdp_agents.environments.info import at_ends
from rstdp_agents.environments.learnt import Frozen, Learnt
from rstdp_agents.environments.make import env_seeds, make_env
from rstdp_agents.environments.replay import ROOM, Replayable, first_failure, snapshots
from rstdp_agents.environments.source import EnvSource, name_of


class SerialGrid:
    """An `EnvGrid` of environments that are stepped one after the other; an agent's envs depend on its seed alone.

    Finished envs restart in the same step (Gymnasium's ``AutoresetMode.SAME_STEP``); their true last observation is passed
    on where it is needed, on truncation. first: index of each agent's first env here. keywords: keys of the numbers in `info`
    to pass on. frozen: what the wrappers of each env have learnt, which then learn no more; empty for wrappers that learn
    from scratch.
    """

    def __init__(
        self, source: EnvSource, kwargs: dict[str, Any], agents: int, envs: int, first: int = 0,
        keywords: tuple[str, ...] = (), frozen: Sequence[Learnt] = (),
    ) -> None:  # fmt: skip
        self.shape, self.first, self.keywords, self.name = (agents, envs), first, keywords, name_of(source)
        self.envs = made(partial(_replayable, source, kwargs, frozen, i, agents * envs) for i in range(agents * envs))
        self.observation_space, self.action_space = self.envs[0].observation_space, self.envs[0].action_space
        self._discrete = isinstance(self.observation_space, spaces.Discrete)
        chosen = self.action_space
        self._counts = isinstance(chosen, spaces.Discrete) and chosen.dtype == np.int64
        self._single = self.envs[0] if len(self.envs) == 1 else None
        self.rows, self._actions = Rows(self.observation_space), Actions(self.action_space)
        space = self.observation_space
        one, self._dtype = space.shape or (), self.rows.dtype
        if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.integer):
            self._dtype = None  # numbers that should be integers but are not must not be rounded to them
        self._obs_shape = (*self.shape, *one) if self.rows.is_array else (*self.shape, self.rows.size)
        self._nobody = np.zeros(self.shape, dtype=bool)
        self.steps = 0

    def reset(self, seeds: tuple[int, ...]) -> np.ndarray:
        each = [seed for agent in seeds for seed in env_seeds(agent, self.shape[1], first=self.first)]
        return self._checked([env.reset(seed=seed)[0] for env, seed in zip(self.envs, each, strict=True)])

    def step(self, actions: np.ndarray) -> Transition:
        self.steps += 1
        if self._single:  # as below, without the lists: they would cost as much as a small env itself
            action = (
                actions[0, 0] if self._counts else self._actions.each(actions)[0]
            )  # the first form takes a fifth of the time
            obs, reward, ended, cut, info = self._single.step(action)
            if ended or cut:
                t = self._restarting([obs], reward, [ended], [cut])
            else:
                t = self._continuing(obs if self.rows.is_array else [obs], reward)
            return self._with_info(t, [info]) if self.keywords else t
        results = [env.step(action) for env, action in zip(self.envs, self._actions.each(actions), strict=True)]
        obs, rewards, ended, cut, infos = zip(*results, strict=True)
        ends = any(ended) or any(cut)
        t = self._restarting(list(obs), rewards, ended, cut) if ends else self._continuing(obs, rewards)
        return self._with_info(t, infos) if self.keywords else t

    def snapshot(self) -> dict[str, Any]:
        return {"steps": self.steps, **snapshots(lambda: [env.snapshot() for env in self.envs], self.learnt)}

    def resume(self, snapshot: dict[str, Any]) -> str:
        self.steps = snapshot["steps"]
        return first_failure(env.repeat([each]) for env, each in zip(self.envs, snapshot["envs"], strict=True))

    def learnt(self) -> list[Learnt]:
        each = [env.learnt() for env in self.envs]
        return each if any(each) else []

    def teach(self, learnt: list[Learnt]) -> None:
        for env, one in zip(self.envs, learnt, strict=True):
            env.teach([one])

    def close(self) -> None:
        for env in self.envs:
            env.close()

    def _continuing(self, obs: Any, rewards: Any) -> Transition:
        obs = np.array(obs, dtype=self._dtype) if self.rows.is_array else rows_of(obs, self)  # as `_observations`
        obs, rewards = obs.reshape(self._obs_shape), self._rewards(rewards)
        if self._discrete:  # every env checks its range itself
            check_finite("reward", rewards, self)
        else:
            check_step(obs, rewards, self)
        return Transition(obs, rewards, self._nobody, self._nobody, None, False)

    def _restarting(self, obs: list[Any], rewards: Any, ended: Sequence[bool], cut: Sequence[bool]) -> Transition:
        terminated = np.array(ended, dtype=bool).reshape(self.shape)
        truncated = np.array(cut, dtype=bool).reshape(self.shape) & ~terminated
        last = self._checked(obs) if truncated.any() else None
        rewards = self._rewards(rewards)
        check_finite("reward", rewards, self)
        for i in np.flatnonzero(terminated | truncated):
            obs[i] = self.envs[i].reset()[0]
        return Transition(self._checked(obs), rewards, terminated, truncated, last)

    def _with_info(self, t: Transition, infos: Sequence[dict[str, Any]]) -> Transition:
        return t._replace(info=at_ends(infos, t.terminated | t.truncated, self.keywords))

    def _rewards(self, rewards: Any) -> np.ndarray:
        if not self._single:
            return np.array(rewards, np.float64).reshape(self.shape)
        array = np.empty(self.shape)  # half the time of the line above
        array[0, 0] = rewards
        return array

    def _checked(self, obs: Any) -> np.ndarray:
        array = self._observations(obs)
        if not self._discrete:  # as in `_continuing`
            check_observations(array, self)
        return array

    def _observations(self, obs: Any) -> np.ndarray:
        array = np.array(obs, dtype=self._dtype) if self.rows.is_array else rows_of(obs, self)
        return array.reshape(self._obs_shape)


def _replayable(source: EnvSource, kwargs: dict[str, Any], frozen: Sequence[Learnt], i: int, of: int) -> Replayable:
    env = make_env(source, kwargs)
    return Replayable(Frozen(env, frozen[i]) if frozen else env, room=ROOM // of)


def made(makers: Iterable[Callable[[], Replayable]]) -> list[Replayable]:
    """The envs of all makers; none is left open if one fails."""
    envs: list[Replayable] = []
    try:
        for make in makers:
            envs.append(make())
    except BaseException:
        for env in envs:
            env.close()
        raise
    return envs
