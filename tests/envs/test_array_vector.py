"""Vector implementations have the episodes of single environments, bit for bit."""

import json

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

import rstdp_envs
from rstdp_agents.environments.replay import set_vector_snapshot, vector_snapshot

IDS = sorted(rstdp_envs.REGISTERED)
OTHERS = [
    ("rstdp/Bandit-v0", {"pulls": 7, "odds": 0.9, "hazard": 0.3}),
    ("rstdp/Bandit-v0", {"pulls": 7, "max_episode_steps": 5}),
    ("rstdp/Bars-v0", {"size": 7}),
    ("rstdp/Catch-v0", {"rows": 4, "columns": 3, "max_episode_steps": 3}),
    ("rstdp/Catch-v0", {"max_episode_steps": 5}),
    ("rstdp/Cue-v0", {"cues": 7}),
    ("rstdp/DelayedCue-v0", {"cues": 3, "delay": 2}),
    ("rstdp/DelayedCue-v0", {"delay": 0}),
    ("rstdp/Pattern-v0", {"afferents": 7, "rate": 0.5, "jitter": 0.5, "frames": 3, "pattern_seed": 4}),
    ("rstdp/Reach-v0", {"speed": 0.5, "radius": 0.4, "max_episode_steps": 9}),
    ("rstdp/TMaze-v0", {"length": 2, "visible": False}),
    ("rstdp/TMaze-v0", {"max_episode_steps": 6}),
    ("rstdp/TMaze-v0", {"max_episode_steps": -1}),
    ("rstdp/WaterMaze-v0", {"platform": (-0.3, 0.1), "radius": 0.3, "speed": 0.4}),
]
"""Arguments besides the defaults; rows that are truncated where they end, too."""
SEEDS = [3, 99, 2**31 + 5, 0]
STEPS = 250


def vector(env_id, **kwargs):
    return gym.make_vec(env_id, len(SEEDS), vectorization_mode="vector_entry_point", **kwargs)


def played(env, steps=STEPS, seed=0):
    # what a vector env returns to random actions: (actions, results)
    env.action_space.seed(seed)
    for actions in (env.action_space.sample() for _ in range(steps)):
        yield actions, env.step(actions)


@pytest.mark.parametrize(("env_id", "kwargs"), [*((env_id, {}) for env_id in IDS), *OTHERS], ids=str)
def test_every_row_is_a_single_env_with_its_seed(env_id, kwargs):
    rows = vector(env_id, **kwargs)
    singles = [gym.make(env_id, disable_env_checker=True, **kwargs) for _ in SEEDS]
    assert np.array_equal(rows.reset(seed=SEEDS)[0], [env.reset(seed=seed)[0] for env, seed in zip(singles, SEEDS)])
    ends = 0
    for actions, (obs, rewards, terminated, truncated, info) in played(rows):
        assert (rewards.dtype, terminated.dtype, truncated.dtype) == (np.float64, bool, bool)
        done = terminated | truncated
        assert np.array_equal(info.get("_final_obs", [False] * len(SEEDS)), done)
        for i, env in enumerate(singles):
            last, *results, _ = env.step(actions[i])
            assert results == [rewards[i], terminated[i], truncated[i]]
            if done[i]:
                assert np.array_equal(info["final_obs"][i], last)
                last, _ = env.reset()
            assert np.array_equal(obs[i], last)
        ends += done.sum()
    assert ends > 2


@pytest.mark.parametrize("env_id", IDS)
def test_spaces_are_those_of_single_envs_in_a_batch(env_id):
    rows, single = vector(env_id), gym.make(env_id)
    assert rows.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert rows.single_observation_space == single.observation_space
    assert rows.observation_space == batch_space(single.observation_space, len(SEEDS))
    assert rows.action_space == batch_space(single.action_space, len(SEEDS))
    first, _ = rows.reset(seed=0)
    kept = first.copy()
    assert first in rows.observation_space
    assert all(obs in rows.observation_space for _, (obs, *_) in played(rows, 20))
    assert np.array_equal(first, kept)  # what was returned stays as it is


def test_one_seed_counts_up_from_row_to_row_and_none_goes_on():
    rows, same = vector("rstdp/Reach-v0"), vector("rstdp/Reach-v0")
    first = rows.reset(seed=5)[0]
    assert np.array_equal(first, same.reset(seed=[5, 6, 7, 8])[0])
    second = rows.reset()[0]
    assert not (first == second).all(1).any()
    single = gym.make("rstdp/Reach-v0")
    single.reset(seed=7)
    assert np.array_equal(single.reset()[0], second[2])
    assert len(np.unique(vector("rstdp/Reach-v0").reset()[0], axis=0)) == len(SEEDS)


def test_a_wrong_number_of_seeds_is_said():
    with pytest.raises(ValueError, match="`seed` must be one number, or one for each of 4 rows; received 3"):
        vector("rstdp/Cue-v0").reset(seed=[1, 2, 3])


def test_arguments_are_those_of_the_single_env():
    with pytest.raises(ValueError, match="`cues` must be a whole number of 2 or more; received 1"):
        vector("rstdp/Cue-v0", cues=1)


@pytest.mark.parametrize("env_id", IDS)
def test_a_snapshot_holds_all_that_the_rest_of_an_episode_depends_on(env_id):
    rows, other = vector(env_id), vector(env_id)
    rows.reset(seed=SEEDS)
    list(played(rows, 37))
    set_vector_snapshot(other, json.loads(json.dumps(vector_snapshot(rows))))
    for (_, one), (_, same) in zip(played(rows, 90, seed=1), played(other, 90, seed=1), strict=True):
        assert all(np.array_equal(*pair) for pair in zip(one[:4], same[:4], strict=True))
