"""The tasks of the generality benchmark: the pools are what they claim, every task can be played, variants are what they say."""

import importlib
import os
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from benchmarks.pool import POOL
from benchmarks.trials import Trial
from benchmarks.worlds import ContextualBandit, GridWorld, Track
from rstdp_agents.environments import make_env
from rstdp_agents.environments.source import Wrapped
from rstdp_agents.training.config import RunConfig, source_of
from rstdp_agents.training.presets import found_for, other


def test_pools_are_apart_and_wide():
    assert len(POOL) >= 40
    pools = [task.pool for task in POOL.values()]
    assert pools == sorted(pools)  # choice, held-out
    assert pools.count("held-out") >= 20
    for pool in ("choice", "held-out"):
        assert len({task.kind for task in POOL.values() if task.pool == pool}) >= 8
    tasks = [(task.env, task.env_kwargs, task.wrapper) for task in POOL.values()]
    assert len(set(tasks)) == len(tasks)
    files = {Trial(name, task, "ppo", (0,)).file(Path()) for name, task in POOL.items()}
    assert len(files) == len(POOL)


def test_held_out_tasks_have_no_preset():
    tasks = [task for task in POOL.values() if task.pool == "held-out" and found_for(task.env, "rstdp-et")]
    assert all(other(task.env, "rstdp-et", task.env_kwargs, task.wrapper) for task in tasks)


PACKAGES = {"gymnasium.envs.box2d": "Box2D", "gymnasium.envs.mujoco": "mujoco"}
"""What those environments of Gymnasium need that Gymnasium does not install."""


def package_of(env):
    """The package that an environment needs, whatever kind of task a variant of it is."""
    if ":" in env:
        return env.partition(":")[0]
    if env.startswith("MinAtar/"):
        return "minatar"
    maker = str(gym.spec(env).entry_point)
    return next((package for prefix, package in PACKAGES.items() if maker.startswith(prefix)), "gymnasium")


def absent(task):
    """Why an environment cannot be made here; CI has all packages, and then fails."""
    try:
        importlib.import_module(package_of(task.env))
    except ImportError as error:
        if os.environ.get("THIRD_PARTIES") == "all":
            raise
        return str(error)
    return ""


@pytest.mark.filterwarnings("ignore")  # what other packages warn of is not ours to mend
@pytest.mark.parametrize("name", POOL)
def test_every_task_of_the_pool_can_be_played_and_ends_in_its_last_fifth(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # MuJoCo leaves a log where it is
    task = POOL[name]
    if reason := absent(task):
        pytest.skip(reason)
    env = make_env(*source_of(task.run(RunConfig())))
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(5):
        _, _, ended, cut, _ = env.step(env.action_space.sample())
        if ended or cut:
            env.reset()
    limits, inner = [task.limit], env
    while isinstance(inner, gym.Wrapper):
        limits.append(getattr(inner, "_max_episode_steps", None) or 0)
        inner = inner.env
    env.close()
    assert max(limits) <= task.steps / 5
    assert isinstance(env.action_space, (gym.spaces.Discrete, gym.spaces.Box, gym.spaces.MultiDiscrete))


def mean_return(env, policy, episodes, limit):
    """Mean return of ``policy(env)`` over episodes of ``limit`` steps at most."""
    total = 0.0
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(episodes):
        env.reset()
        for _ in range(limit):
            _, reward, ended, _, _ = env.step(policy(env))
            total += reward
            if ended:
                break
    return total / episodes


def chance(env):
    return env.action_space.sample()


def pursue(env):
    hand, target = env.observation.reshape(2, -1)
    return np.clip((target - hand) / env.SPEED, -1.0, 1.0)


@pytest.mark.parametrize("dimensions", [1, 2, 6])
def test_tracking_costs_a_pursuer_its_way_there_and_chance_all_the_time(dimensions):
    env, scale = Seen(Track(dimensions)), np.sqrt(dimensions)
    assert -1.5 * scale < mean_return(env, pursue, 100, 50) < 0.0
    assert mean_return(env, chance, 20, 50) < -20 * scale


class Seen(gym.Wrapper):
    """Remembers the last observation."""

    SPEED = Track.SPEED

    def reset(self, **kwargs):
        self.observation, info = self.env.reset(**kwargs)
        return self.observation, info

    def step(self, action):
        result = self.env.step(action)
        self.observation = result[0]
        return result


def test_bandit_asks_twenty_questions_with_the_same_answers_for_every_copy():
    one, other = ContextualBandit(10), ContextualBandit(10)

    def answer(env):
        return int(np.argmax(other._directions @ env.observation))

    assert mean_return(Seen(one), answer, 20, 100) == 20.0
    assert mean_return(one, chance, 100, 100) == pytest.approx(5.0, abs=0.6)


def test_grid_world_pays_one_less_a_hundredth_a_step():
    env = GridWorld(8)

    def down_then_right(seen):
        return 1 if seen.observation[0] < 7 else 3

    assert mean_return(Seen(env), down_then_right, 200, 100) == pytest.approx(1 - 0.07, abs=0.01)
    assert mean_return(env, chance, 100, 100) < 0.2


def cartpole(*variants):
    env = make_env(Wrapped("CartPole-v1", tuple(f"benchmarks.variants:{name}" for name in variants)), {})
    obs, _ = env.reset(seed=3)
    return env, obs, *env.step(1)[:2]


def test_scaled_variants_change_the_units_and_nothing_else():
    _, start, obs, reward = cartpole()
    env, scaled_start, scaled, same = cartpole("observations_x1000")
    np.testing.assert_allclose([scaled_start, scaled], 1000 * np.array([start, obs]), rtol=1e-6)
    assert same == reward == 1.0
    assert env.observation_space.high.tolist() == [pytest.approx(4800.0), np.inf, pytest.approx(418.879), np.inf]
    for name, factor in (("rewards_x1000", 1000.0), ("rewards_x0_001", 0.001)):
        _, _, unchanged, scaled = cartpole(name)
        assert scaled == factor
        assert unchanged.tolist() == obs.tolist()


def test_noisy_variants_add_noise_of_the_size_they_say():
    _, _, obs, _ = cartpole()
    _, _, positions, _ = cartpole("positions_only")
    assert positions.tolist() == obs[[0, 2]].tolist()
    env, start, more, _ = cartpole("DistractingObservations")
    assert more[:4].tolist() == obs.tolist()
    assert start.shape == env.observation_space.shape == (14,)
    rewards, noise = [], []
    noisy, seen = cartpole("NoisyRewards")[0], cartpole("NoisyObservations")[0]
    for _ in range(100):
        for env in (noisy, seen):
            env.reset()
        for action in (0, 1, 0, 1):  # too few to fall
            rewards.append(noisy.step(action)[1])
            noise.append(seen.step(action)[0] - np.array(seen.unwrapped.state))
    assert np.mean(rewards) == pytest.approx(1.0, abs=0.15)
    assert np.std(rewards) == pytest.approx(1.0, abs=0.1)
    assert np.std(noise) == pytest.approx(0.05, rel=0.1)
    assert (
        cartpole("NoisyObservations")[2].tolist() == cartpole("NoisyObservations")[2].tolist()
    )  # noise follows the seed
