import sys
from functools import partial
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments import SerialGrid, VectorGrid, build_grid, make_env
from rstdp_agents.environments.build import OWN_VECTOR_FROM
from rstdp_agents.environments.envpool import Pool
from rstdp_agents.environments.source import Wrapped
from rstdp_agents.training.episodes import EpisodeTracker
from rstdp_envs import REGISTERED
from tests import helpers

forks = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def synchronous(env_id, kwargs, agents, envs, mode):
    """A grid on Gymnasium's SyncVectorEnv, which knows every autoreset mode."""
    parts = [SyncVectorEnv([partial(make_env, env_id, kwargs)] * (agents * envs), autoreset_mode=mode)]
    return VectorGrid(parts, agents, envs, seed_rows=True)


def course(grid, steps, seeds=(3, 4)):
    """Observations and transitions of random actions that depend on the row alone."""
    first = grid.reset(seeds)
    actions = [np.random.default_rng(seed).integers(0, 2, (steps, first.shape[1])) for seed in seeds]
    transitions = [grid.step(action) for action in np.stack(actions, 1)]
    grid.close()
    return first, transitions


def assert_same(one: Transition, other: Transition):
    for name, value in one._asdict().items():
        assert np.array_equal(value, getattr(other, name)), name


@forks
def test_async_is_serial_to_the_bit():
    (first, serial), (same, processes) = (
        course(build_grid(how, "CartPole-v1", {"max_episode_steps": 15}, 2, 2), 60) for how in ("serial", "async")
    )
    assert np.array_equal(first, same)
    for one, other in zip(serial, processes, strict=True):
        if one.final_obs is not None:  # other rows are not read
            one = one._replace(final_obs=one.final_obs[one.truncated])
            other = other._replace(final_obs=other.final_obs[other.truncated])
        assert_same(one, other)
    assert any(t.final_obs is not None for t in serial)
    assert any(t.terminated.any() for t in serial)


def test_own_vector_implementation_moves_as_single_envs_do():
    serial, vector = (build_grid(how, "CartPole-v1", {"max_episode_steps": 10}, 2, 2) for how in ("serial", "vector"))
    states = np.random.default_rng(0).uniform(-0.2, 0.2, (4, 4))
    assert serial.reset((0, 1)).shape == vector.reset((0, 1)).shape == (2, 2, 4)
    vector.parts[0].unwrapped.state = states.copy()
    for env, state in zip(serial.envs, states.T, strict=True):
        env.unwrapped.state = state.copy()
    over = np.zeros((2, 2), dtype=bool)
    for action in np.random.default_rng(1).integers(0, 2, (10, 2, 2)):
        one, many = serial.step(action), vector.step(action)
        for name in ("reward", "terminated", "truncated"):
            assert np.array_equal(getattr(one, name)[~over], getattr(many, name)[~over]), name
        over |= one.terminated
        ended = one.terminated | one.truncated
        np.testing.assert_allclose(one.obs[~(over | ended)], many.obs[~(over | ended)], atol=1e-6)
    assert over.any()
    assert one.truncated.any()
    np.testing.assert_allclose(one.final_obs[one.truncated], many.final_obs[one.truncated], atol=1e-6)


def test_an_env_that_restarts_in_the_next_step_says_so():
    grid = build_grid("vector", "CartPole-v1", {}, 1, 3)
    _, transitions = course(grid, 80, seeds=(5,))
    ends, ended = 0, np.zeros((1, 3), dtype=bool)
    for t in transitions:
        restarted = np.zeros((1, 3), dtype=bool) if t.restarted is None else t.restarted
        assert np.array_equal(restarted, ended)
        assert np.array_equal(t.reward, np.where(restarted, 0.0, 1.0))
        assert (np.abs(t.obs[restarted]) <= 0.05).all()
        ended = t.terminated | t.truncated
        assert t.any_done == ended.any()
        assert (np.abs(t.obs[ended]).max(-1, initial=0) > 0.2).all()  # the true last observation
        ends += ended.sum()
    assert ends > 5


def test_episodes_have_the_same_length_wherever_they_run():
    def lengths(how):
        grid, tracker = build_grid(how, "CartPole-v1", {}, 1, 32), EpisodeTracker(1, 32, None)
        _, transitions = course(grid, 700, seeds=(0,))
        episodes = [episode for step, t in enumerate(transitions) for episode in tracker.add(t, step)]
        assert all(episode.episode_return == episode.length for episode in episodes)  # CartPole pays one per step
        return [episode.length for episode in episodes]

    one, many = lengths("serial"), lengths("vector")
    error = (np.var(one) / len(one) + np.var(many) / len(many)) ** 0.5
    assert len(one) > 900
    assert abs(np.mean(one) - np.mean(many)) < 4 * error


@pytest.mark.parametrize(("mode", "last", "after"), [(AutoresetMode.SAME_STEP, 2, 0), (AutoresetMode.NEXT_STEP, 1, 1)])
def test_both_ways_of_restarting_tell_the_same_story(mode, last, after):
    grid = synchronous("Corridor-v0", {}, 1, 2, mode)
    grid.reset((0,))
    steps = [grid.step(np.full((1, 2), i < 15 or i % 2 == 0)) for i in range(26)]
    restarts = [i for i, t in enumerate(steps) if t.restarted is not None]
    assert restarts == ([4, 9, 14, 25] if mode == AutoresetMode.NEXT_STEP else [])
    taken = [t for t in steps if t.restarted is None]
    assert [float(t.reward[0, 0]) for t in taken[:12]] == [0, 0, 0, 1] * 3
    cut = next(t for t in taken if t.truncated.any())
    assert (cut.final_obs.tolist(), cut.obs.tolist()) == ([[last, last]], [[after, after]])


def test_vector_envs_that_never_restart_are_refused():
    with pytest.raises(UsageError, match=r"does not restart finished episodes by itself: its autoreset mode is .*DIS"):
        synchronous("Corridor-v0", {}, 1, 2, AutoresetMode.DISABLED)


def test_reward_that_is_not_finite_names_env_and_agent():
    grid = synchronous("Corridor-v0", {"broken": ("reward", 3, np.nan)}, 2, 2, AutoresetMode.SAME_STEP)
    grid.reset((0, 1))
    with pytest.raises(EnvironmentFault, match="reward is not finite at env step 3 in env 0 of agent 0: received nan"):
        [grid.step(np.zeros((2, 2), dtype=np.int64)) for _ in range(3)]


class Fussy:
    """A vector environment that refuses what a single one takes."""

    metadata = {"seed_per_row": True}  # noqa: RUF012 (as VectorEnv declares it)

    def __init__(self, num_envs):
        raise ValueError(f"`size` is too small for {num_envs} rows")


gym.register("FussyCorridor-v0", helpers.Corridor, vector_entry_point=Fussy)


def test_auto_steps_one_by_one_where_the_vector_implementation_refuses_an_argument():
    assert isinstance(build_grid("auto", "FussyCorridor-v0", {}, OWN_VECTOR_FROM, 1), SerialGrid)
    with pytest.raises(UsageError, match=r"'FussyCorridor-v0' cannot be made: `size` is too small for 16 rows"):
        build_grid("vector", "FussyCorridor-v0", {}, OWN_VECTOR_FROM, 1)


def test_auto_takes_an_own_vector_implementation_only_where_it_wins():
    assert isinstance(build_grid("auto", "CartPole-v1", {}, 40, OWN_VECTOR_FROM - 1), SerialGrid)
    assert isinstance(build_grid("auto", "Corridor-v0", {}, 1, OWN_VECTOR_FROM), SerialGrid)
    assert isinstance(build_grid("serial", "CartPole-v1", {}, 1, OWN_VECTOR_FROM), SerialGrid)
    grid = build_grid("auto", "CartPole-v1", {}, 3, OWN_VECTOR_FROM)
    assert [part.num_envs for part in grid.parts] == [OWN_VECTOR_FROM] * 3
    assert [part.num_envs for part in build_grid("vector", "CartPole-v1", {}, 3, 2).parts] == [6]


@pytest.mark.parametrize("how", ["vector", "auto"])
@pytest.mark.parametrize(
    ("env", "kwargs"),
    [
        *((env, {}) for env in sorted(REGISTERED)),
        ("rstdp/Catch-v0", {"rows": 6, "max_episode_steps": 4}),
        ("rstdp/Reach-v0", {"speed": 0.5, "max_episode_steps": 7}),
    ],
    ids=str,
)
def test_with_a_seed_per_row_own_vector_implementations_are_serial_to_the_bit(how, env, kwargs):
    agents, envs = OWN_VECTOR_FROM // 2, 2
    serial, rows = (build_grid(each, env, kwargs, agents, envs, first=1) for each in ("serial", how))
    assert isinstance(rows, VectorGrid)
    space, seeds = serial.action_space, tuple(range(agents))
    first, same = serial.reset(seeds), rows.reset(seeds)
    assert (first.dtype, first.tolist()) == (same.dtype, same.tolist())
    space.seed(0)
    ends = 0
    for _ in range(60):
        actions = np.array([[space.sample() for _ in range(envs)] for _ in range(agents)])
        one, many = serial.step(actions), rows.step(actions)
        if one.final_obs is not None:  # other rows are not read
            one, many = (t._replace(final_obs=t.final_obs[t.truncated]) for t in (one, many))
        assert_same(one, many)
        ends += one.any_done
    assert ends or env in ("rstdp/Bandit-v0", "rstdp/WaterMaze-v0")


def test_auto_steps_rows_with_seeds_of_their_own_together():
    grid = build_grid("auto", "rstdp/Cue-v0", {}, OWN_VECTOR_FROM, 1)
    assert [part.num_envs for part in grid.parts] == [OWN_VECTOR_FROM]
    assert isinstance(build_grid("auto", "rstdp_envs:rstdp/Cue-v0", {}, OWN_VECTOR_FROM, 1), VectorGrid)
    assert isinstance(build_grid("auto", "rstdp/Cue-v0", {}, OWN_VECTOR_FROM - 1, 1), SerialGrid)
    wrapped = Wrapped("rstdp/Cue-v0", ("gymnasium.wrappers:RecordEpisodeStatistics",))
    assert isinstance(build_grid("auto", wrapped, {}, OWN_VECTOR_FROM, 1), SerialGrid)
    with pytest.raises(UsageError, match="`cues` must be a whole number of 2 or more; received 1"):
        build_grid("auto", "rstdp/Cue-v0", {"cues": 1}, OWN_VECTOR_FROM, 1)


def test_under_auto_an_agent_has_the_same_envs_alone_and_in_a_population():
    first, population = course(build_grid("auto", "CartPole-v1", {}, 3, OWN_VECTOR_FROM), 60, seeds=(4, 5, 6))
    same, alone = course(build_grid("auto", "CartPole-v1", {}, 1, OWN_VECTOR_FROM), 60, seeds=(5,))
    assert np.array_equal(first[1:2], same)
    for many, one in zip(population, alone, strict=True):
        assert np.array_equal(many.obs[1:2], one.obs)
        assert np.array_equal(many.terminated[1:2], one.terminated)


def needs_jax(num_envs):
    raise ImportError("it needs jax")


gym.register("JaxCorridor-v0", helpers.Corridor, vector_entry_point=needs_jax)


def test_what_stands_in_the_way_of_an_own_vector_implementation_is_said():
    with pytest.raises(UsageError, match=r"'Corridor-v0' has no vector implementation of its own; use `serial`"):
        build_grid("vector", "Corridor-v0", {}, 1, 2)
    with pytest.raises(UsageError, match=r"the vector implementation of 'JaxCorridor-v0' cannot be made: it needs jax"):
        build_grid("vector", "JaxCorridor-v0", {}, 1, 2)
    assert isinstance(build_grid("auto", "JaxCorridor-v0", {}, 1, OWN_VECTOR_FROM), SerialGrid)
    with pytest.raises(UsageError, match="'CartPole-v1' has no argument 'gravitas'; it takes "):
        build_grid("vector", "CartPole-v1", {"gravitas": 1}, 1, 2)
    with pytest.raises(UsageError, match="unknown environment 'CartPol-v1'"):
        build_grid("vector", "CartPol-v1", {}, 1, 2)


class FakePool(SyncVectorEnv):
    """What EnvPool's gymnasium flavour does, on Gymnasium's CartPole: seeds at construction, actions of 32 bits."""

    def __init__(self, kwargs, seeds):
        super().__init__([partial(gym.make, "CartPole-v1", **kwargs)] * len(seeds))
        self.seeds = np.array(seeds, dtype=np.int32).tolist()

    def reset(self):
        return super().reset(seed=self.seeds)

    def step(self, actions):
        assert actions.dtype == np.int32
        return super().step(actions)


def fake_spec(env_id, num_envs, max_episode_steps=500):
    env = gym.make(env_id)
    return SimpleNamespace(gymnasium_observation_space=env.observation_space, gymnasium_action_space=env.action_space)


FAKE_ENVPOOL = SimpleNamespace(
    list_all_envs=lambda: ["CartPole-v1"],
    make_spec=fake_spec,
    make=lambda env_id, env_type, seed, num_envs, **kwargs: FakePool(kwargs, seed),
)


@pytest.fixture(params=["fake", "real"])
def envpool(request, monkeypatch):
    if request.param == "fake":
        monkeypatch.setitem(sys.modules, "envpool", FAKE_ENVPOOL)
    else:
        pytest.importorskip("envpool")


@pytest.mark.usefixtures("envpool")
@pytest.mark.filterwarnings("ignore:.*precision lowered:UserWarning")
def test_envpool_seeds_every_env_from_its_agent_and_restarts_in_the_next_step():
    first, population = course(build_grid("envpool", "CartPole-v1", {"max_episode_steps": 12}, 2, 3), 60, seeds=(7, 8))
    same, alone = course(build_grid("envpool", "CartPole-v1", {"max_episode_steps": 12}, 1, 3), 60, seeds=(8,))
    assert np.array_equal(first[1:], same)
    assert len(np.unique(first[..., 0])) == 6
    ended = np.zeros((2, 3), dtype=bool)
    for many, one in zip(population, alone, strict=True):
        assert np.array_equal(many.obs[1:], one.obs)
        assert np.array_equal(np.zeros((2, 3), dtype=bool) if many.restarted is None else many.restarted, ended)
        assert np.array_equal(many.reward, np.where(ended, 0.0, 1.0))
        if many.truncated.any():
            assert np.array_equal(many.final_obs[many.truncated], many.obs[many.truncated])
        ended = many.terminated | many.truncated
    assert any(t.truncated.any() for t in population)
    assert any(t.terminated.any() for t in population)


@pytest.mark.usefixtures("envpool")
@pytest.mark.filterwarnings("ignore:.*precision lowered:UserWarning")
def test_what_envpool_cannot_make_is_said():
    with pytest.raises(UsageError, match="EnvPool has no environment 'Corridor-v0'; use `serial`"):
        Pool("Corridor-v0", {}, 2)
    with pytest.raises(UsageError, match=r"EnvPool's 'CartPole-v1' cannot be made: .*gravitas"):
        Pool("CartPole-v1", {"gravitas": 1}, 2)


def test_envpool_that_is_not_installed_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "envpool", None)
    with pytest.raises(
        UsageError, match=r"needs EnvPool, which is not installed: pip install 'rstdp_agents\[envpool\]'"
    ):
        build_grid("envpool", "CartPole-v1", {}, 1, 2)
