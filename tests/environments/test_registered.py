"""What holds for every environment of the package; a new one needs a line in `OPTIMAL` and in `BY_CHANCE`, and no test."""

import subprocess
import sys
import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import load_env_creator
from gymnasium.utils.env_checker import check_env

import rstdp_envs

ROOT = Path(__file__).parents[2]
IDS = sorted(rstdp_envs.REGISTERED)


def below_the_ball(image, env):
    ball, paddle = np.argmax(image[:-1].max(0)), np.argmax(image[-1])
    return 1 + int(np.sign(ball - paddle))


def like_the_pattern(spikes, env):
    template = env.pattern - env.rate
    return int((spikes - env.rate) @ template > (1 - env.jitter) / 2 * template @ template)


OPTIMAL = {
    "rstdp/Bandit-v0": lambda obs, env: env.better,
    "rstdp/Bars-v0": lambda image, env: int(image[0].sum() == 255),
    "rstdp/Catch-v0": below_the_ball,
    "rstdp/Cue-v0": lambda obs, env: obs,
    "rstdp/DelayedCue-v0": lambda obs, env: obs % 4,  # after the cue comes 4, and what is done there does not matter
    "rstdp/Pattern-v0": like_the_pattern,
    "rstdp/Reach-v0": lambda obs, env: np.clip((obs[2:] - obs[:2]) / env.speed, -1, 1),
    "rstdp/TMaze-v0": lambda obs, env: obs % 3 if obs // 3 == 4 else 0,
    "rstdp/WaterMaze-v0": lambda obs, env: (env.platform - obs) / np.linalg.norm(env.platform - obs),
    "rstdp/XOR-v0": lambda obs, env: int(obs[0] != obs[1]),
}
"""The best action for each observation, without memory, but with all that the env knows."""
BEST = {"rstdp/Bandit-v0": 0.8, "rstdp/Pattern-v0": 0.998, "rstdp/WaterMaze-v0": 0.915}
"""Its mean return, as the docstrings say; 1 in every episode where none stands here."""
BY_CHANCE = {
    "rstdp/Bandit-v0": 0.5,
    "rstdp/Bars-v0": 0.5,
    "rstdp/Catch-v0": 0.2,
    "rstdp/Cue-v0": 0.25,
    "rstdp/DelayedCue-v0": 0.25,
    "rstdp/Pattern-v0": 0.5,
    "rstdp/Reach-v0": 0.0,
    "rstdp/TMaze-v0": -0.35,
    "rstdp/WaterMaze-v0": -0.72,
    "rstdp/XOR-v0": 0.5,
}
"""Expected return of random actions, as in the docstrings."""


def made(env_id, **kwargs):
    return gym.make(env_id, disable_env_checker=True, **kwargs)


def episode(env, policy, seed=None):
    # everything that an episode shows, as a list of (observation, reward, terminated, truncated)
    obs, _ = env.reset(seed=seed)
    story = [(np.asarray(obs).tolist(), 0.0, False, False)]
    while not (story[-1][2] or story[-1][3]):
        obs, *rest, _ = env.step(policy(obs, env.unwrapped))
        story.append((np.asarray(obs).tolist(), *rest))
    return story


def returns(env, policy, episodes):
    return [sum(reward for _, reward, *_ in episode(env, policy, seed)) for seed in range(episodes)]


def random_policy(env, seed=0):
    env.action_space.seed(seed)
    return lambda obs, _: env.action_space.sample()


def test_all_are_of_this_package_and_no_policy_is_missing():
    assert sorted(OPTIMAL) == sorted(BY_CHANCE) == IDS == sorted(name for name in gym.registry if "rstdp/" in name)


@pytest.mark.parametrize("env_id", IDS)
def test_gymnasium_finds_no_fault(env_id):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(made(env_id, render_mode="rgb_array").unwrapped)
    assert gym.make(f"rstdp_envs:{env_id}").spec.id == env_id


@pytest.mark.parametrize("env_id", IDS)
def test_same_seed_same_episode_and_other_seeds_others(env_id):
    one, other = made(env_id), made(env_id)
    stories = [episode(one, random_policy(one, seed), seed) for seed in range(20)]
    assert stories == [episode(other, random_policy(other, seed), seed) for seed in range(20)]
    assert len({str(episode(one, random_policy(one, 0), seed)) for seed in range(20)}) > 1
    assert [episode(one, random_policy(one, i)) for i in range(5)] == [
        episode(other, random_policy(other, i)) for i in range(5)
    ]


@pytest.mark.parametrize("env_id", IDS)
def test_observations_and_rewards_are_what_the_spaces_say(env_id):
    env = made(env_id)
    for seed in range(20):
        obs, _ = env.reset(seed=seed)
        over = False
        while not over:
            assert obs in env.observation_space
            obs, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            assert isinstance(reward, float)
            over = terminated or truncated
        assert obs in env.observation_space


@pytest.mark.parametrize("env_id", IDS)
def test_the_optimal_policy_earns_what_the_docstring_says_and_passes_the_threshold(env_id):
    env, best = made(env_id), BEST.get(env_id, 1.0)
    got = returns(env, OPTIMAL[env_id], 100)
    assert np.mean(got) == pytest.approx(best, abs=4 * np.std(got) / np.sqrt(len(got)) + 1e-6)
    assert BY_CHANCE[env_id] < env.spec.reward_threshold < best


@pytest.mark.parametrize("env_id", IDS)
def test_a_random_policy_earns_what_the_docstring_says(env_id):
    env = made(env_id)
    got = returns(env, random_policy(env), 300)
    assert np.mean(got) == pytest.approx(BY_CHANCE[env_id], abs=4 * np.std(got) / np.sqrt(len(got)))


@pytest.mark.parametrize("env_id", IDS)
def test_pictures_show_the_state(env_id):
    env = made(env_id, render_mode="rgb_array")
    env.reset(seed=0)
    first = env.render()
    assert (first.dtype, first.ndim, first.shape[2]) == (np.uint8, 3, 3)
    assert max(first.shape) <= 256
    assert np.array_equal(first, env.render())
    env.step(getattr(env.action_space, "high", 0))
    second = env.render()
    assert second.shape == first.shape
    assert not np.array_equal(first, second)
    starts = []
    for seed in range(20):
        env.reset(seed=seed)
        starts.append(env.render().tobytes())
    assert len(set(starts)) > 1
    assert made(env_id).unwrapped.render() is None


@pytest.mark.parametrize("env_id", IDS)
def test_unknown_render_mode_is_refused(env_id):
    make = load_env_creator(gym.spec(env_id).entry_point)
    with pytest.raises(ValueError, match="`render_mode` must be 'rgb_array' or None; received 'ansi'"):
        make(render_mode="ansi")


@pytest.mark.slow
def test_the_command_knows_them_in_a_fresh_process():
    code = "from rstdp_agents.environments import make_env; print(make_env('rstdp/Cue-v0', {'cues': 3}).action_space)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "Discrete(3)\n", done.stderr
