"""Environments stepped by Gymnasium's vector interface: an env's own vector implementation, processes, or EnvPool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import load_env_creator
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import iterate

from rstdp_agents.base import plugins
from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.codecs.action_layout import Actions
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments.envpool import Pool
from rstdp_agents.environments.grid import check_finite, check_observations, rows_of
from rstdp_agents.environments.info import at_ends, of_each
from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.environments.make import env_seeds, make_env
from rstdp_agents.environments.masks import MaskInObservation
from rstdp_agents.environments.processes import Processes
from rstdp_agents.environments.replay import first_failure, set_vector_snapshot, snapshots, vector_snapshot
from rstdp_agents.environments.source import EnvSource, env_spec, name_of

SEED_PER_ROW = "seed_per_row"
"""Key in a vector env's metadata: `reset` takes a list of seeds, one per row, and a row depends on its own seed alone."""


class VectorGrid:
    """An `EnvGrid` of vector environments, each of which steps an equal share of the ``agents * envs`` rows at once.

    parts: one vector env for all agents, or one for each. seed_rows: whether they take a seed for every row, which depends on
    its agent alone; else each takes one seed, derived from those of its agents. first: index of each agent's first env here.
    keywords: keys of the numbers in `info` to pass on. Vector envs may restart finished rows in the same step
    (``AutoresetMode.SAME_STEP``) or in the next one (``NEXT_STEP``, see `Transition.restarted`).
    Raises UsageError for others.
    """

    def __init__(
        self, parts: Sequence[VectorEnv], agents: int, envs: int, *, seed_rows: bool, first: int = 0,
        keywords: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.parts, self.shape, self.seed_rows, self.first = parts, (agents, envs), seed_rows, first
        self.keywords = keywords
        self.observation_space, self.action_space = parts[0].single_observation_space, parts[0].single_action_space
        self.name = parts[0].name if isinstance(parts[0], Processes) else _name(parts[0])
        mode = parts[0].metadata.get("autoreset_mode")
        if mode not in (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP):
            raise UsageError(f"{parts[0]} does not restart finished episodes by itself: its autoreset mode is {mode}")
        self._restarts_next = mode == AutoresetMode.NEXT_STEP
        self.rows, self._actions = Rows(self.observation_space), Actions(self.action_space)
        self._one = self.observation_space.shape or ()
        self._obs_shape = (*self.shape, *(self._one if self.rows.is_array else (self.rows.size,)))
        self._done = np.zeros(self.shape, dtype=bool)
        self.steps = 0

    def reset(self, seeds: tuple[int, ...]) -> np.ndarray:
        self._done = np.zeros(self.shape, dtype=bool)
        shares = np.array(seeds).reshape(len(self.parts), -1).tolist()
        each = [self._seed(share) for share in shares]
        return self._observations([part.reset(seed=seed)[0] for part, seed in zip(self.parts, each, strict=True)])

    def step(self, actions: np.ndarray) -> Transition:
        self.steps += 1
        shares = self._actions.batches(actions, len(self.parts))
        results = [self._step_part(part, one) for part, one in zip(self.parts, shares, strict=True)]
        obs, rewards, ended, cut, infos = zip(*results, strict=True)
        after, reward = self._observations(obs), self._rows(rewards).astype(np.float64)
        check_finite("reward", reward, self)
        terminated = self._rows(ended)
        truncated = self._rows(cut) & ~terminated
        restarted = self._done if self._restarts_next and np.count_nonzero(self._done) else None
        self._done = terminated | truncated
        final_obs = self._final(after, truncated, infos) if np.count_nonzero(truncated) else None
        numbers = self._numbers(infos) if self.keywords else None
        any_done = bool(np.count_nonzero(self._done))
        return Transition(after, reward, terminated, truncated, final_obs, any_done, restarted, numbers)

    def _step_part(self, part: VectorEnv, actions: Any) -> Any:
        """The results of a part; an exception or an unexpected shape is a fault."""
        try:
            obs, reward, ended, cut, info = part.step(actions)
        except EnvironmentFault:
            raise
        except Exception as error:
            raise EnvironmentFault(f"environment {self.name!r}: step() raised {plugins.said(error)}") from error
        each = (part.num_envs,)
        whole = each + self._one
        fit = np.shape(reward) == np.shape(ended) == np.shape(cut) == each
        if not fit or (self.rows.is_array and np.shape(obs) != whole):
            shapes = ", ".join(str(np.shape(one)) for one in (obs, reward, ended, cut))
            raise EnvironmentFault(
                f"environment {self.name!r}: step() returned arrays of shapes {shapes}; expected {whole}, and {each} "
                "for rewards and flags"
            )
        return obs, reward, ended, cut, info

    def snapshot(self) -> dict[str, Any]:
        return {"steps": self.steps, "done": self._done.tolist(), **snapshots(self._snapshots, self.learnt)}

    def resume(self, snapshot: dict[str, Any]) -> str:
        self.steps, self._done = snapshot["steps"], np.array(snapshot["done"], dtype=bool).reshape(self.shape)
        return first_failure(
            reason
            for part, each in zip(self.parts, snapshot["envs"], strict=True)
            for reason in (part.resume(each) if isinstance(part, Processes) else set_vector_snapshot(part, each))
        )

    def learnt(self) -> list[Learnt]:
        each = [one for part in self.parts if isinstance(part, Processes) for one in part.learnt()]
        return each if any(each) else []

    def teach(self, learnt: list[Learnt]) -> None:
        for part in self.parts:
            if isinstance(part, Processes):  # no other has wrappers
                part.teach(learnt)

    def close(self) -> None:
        for part in self.parts:
            part.close()

    def _final(self, after: np.ndarray, truncated: np.ndarray, infos: Sequence[dict[str, Any]]) -> np.ndarray:
        """``after``, with the true last observation of truncated rows."""
        if self._restarts_next:
            return after
        final = after.copy()
        rows, per_part = final.reshape(truncated.size, *final.shape[2:]), truncated.size // len(self.parts)
        for row in np.flatnonzero(truncated):
            part, i = divmod(int(row), per_part)
            rows[row] = self.rows.array([infos[part]["final_obs"][i]])[0]
        check_observations(final, self)
        return final

    def _numbers(self, infos: Sequence[dict[str, Any]]) -> np.ndarray:
        per_part = self._done.size // len(self.parts)
        return at_ends(
            [row for info in infos for row in of_each(info, per_part, self.keywords)], self._done, self.keywords
        )

    def _seed(self, agents: list[int]) -> Any:
        if self.seed_rows:
            return [seed for agent in agents for seed in env_seeds(agent, self.shape[1], first=self.first)]
        return int(np.random.SeedSequence([*agents, 0]).generate_state(1)[0])

    def _snapshots(self) -> list[Any]:
        return [part.snapshot() if isinstance(part, Processes | Pool) else vector_snapshot(part) for part in self.parts]

    def _rows(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate(parts).reshape(self.shape)

    def _observations(self, parts: Sequence[Any]) -> np.ndarray:
        if self.rows.is_array:
            obs = np.concatenate(parts)
        else:
            batches = zip(self.parts, parts, strict=True)
            obs = rows_of([one for part, batch in batches for one in iterate(part.observation_space, batch)], self)
        obs = obs.reshape(self._obs_shape)
        check_observations(obs, self)
        return obs


def _name(part: VectorEnv) -> str:
    return part.spec.id if part.spec else type(part).__name__


def own_vector(source: EnvSource, kwargs: dict[str, Any], rows: int) -> VectorEnv:
    """An environment's own vector implementation. Raises UsageError if it has none, or it cannot be made."""
    env = make_env(source, kwargs)  # which reports faulty ids and arguments
    env.close()
    spec, name = env.spec, name_of(source)
    if isinstance(env, gym.Wrapper) and isinstance(env.env, MaskInObservation):
        raise UsageError(f"vector implementations do not pass on the action masks of {name!r}; use `serial`")
    if spec is None or spec.vector_entry_point is None or not isinstance(source, str):
        wrapped = "" if isinstance(source, str) else " with these wrappers"
        raise UsageError(
            f"`--vectorization vector`: {name!r} has no vector implementation of its own{wrapped}; use `serial`"
        )
    try:
        return gym.make_vec(source, rows, vectorization_mode="vector_entry_point", **kwargs)
    except Exception as error:  # whatever its constructor may raise for arguments that the single env takes
        raise UsageError(f"the vector implementation of {name!r} cannot be made: {str(error).strip()}") from error


def seeds_rows(source: EnvSource) -> bool:
    """Whether an environment's own vector implementation, if there is one, says that it takes a seed per row.

    Raises UsageError if the module of an id cannot be imported.
    """
    if isinstance(source, str) and plugins.is_plugin(source):
        plugins.imported(source, "--env")  # which may register the id
    spec = env_spec(source)
    place = spec.vector_entry_point if spec else None
    try:
        creator = load_env_creator(place) if isinstance(place, str) else place
    except (ImportError, AttributeError):  # it needs a package that is not installed; `own_vector` says so
        return False
    return bool(getattr(creator, "metadata", {}).get(SEED_PER_ROW))
