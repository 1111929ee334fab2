"""EnvPool's compiled environments, as a vector env of Gymnasium."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from rstdp_agents.base.errors import UsageError
from rstdp_agents.environments.source import EnvSource, name_of


class Pool(VectorEnv):
    """``num_envs`` environments of EnvPool, which takes its seeds, one per env, only when it is made: so `reset` makes it again.

    Raises UsageError if EnvPool is not installed, or does not know the environment or its arguments.
    """

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012 (as VectorEnv declares it)

    def __init__(self, source: EnvSource, kwargs: dict[str, Any], num_envs: int) -> None:
        env_id = name_of(source)
        self._envpool, self._id, self.num_envs = _installed(), env_id, num_envs
        self._kwargs = {**kwargs, "num_envs": num_envs}
        if not isinstance(source, str) or env_id not in self._envpool.list_all_envs():
            raise UsageError(f"`--vectorization envpool`: EnvPool has no environment {env_id!r}; use `serial`")
        try:
            spec = self._envpool.make_spec(env_id, **self._kwargs)
        except (TypeError, ValueError) as error:
            raise UsageError(f"EnvPool's {env_id!r} cannot be made: {str(error).strip()}") from error
        self.single_observation_space = spec.gymnasium_observation_space
        self.single_action_space = spec.gymnasium_action_space
        self._pool: Any = None

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict[str, Any]]:
        self.close_extras()
        small = [one % 2**31 for one in seed]  # EnvPool's seeds are signed 32-bit integers
        self._pool = self._envpool.make(self._id, env_type="gymnasium", seed=small, **self._kwargs)
        return self._pool.reset()

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        return self._pool.step(actions.astype(np.int32))

    def snapshot(self) -> Any:
        """Raises ValueError: EnvPool cannot be saved, and its seeds are those of a run's first episodes only."""
        raise ValueError("EnvPool's environments cannot be saved")

    def close_extras(self, **_: Any) -> None:
        if self._pool is not None:
            self._pool.close()


def _installed() -> ModuleType:
    try:
        import envpool  # pyright: ignore[reportMissingImports] (an extra)
    except ImportError as error:
        raise UsageError(
            "`--vectorization envpool` needs EnvPool, which is not installed: pip install 'rstdp_agents[envpool]'"
        ) from error
    return envpool
