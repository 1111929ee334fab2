"""Environments of any space, through every way of stepping, training, evaluation and resume."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.bounds import numeric, own_bounds
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments import SerialGrid, VectorGrid, build_grid, is_unbounded, probe_range
from rstdp_agents.environments.make import make_env
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset
from rstdp_agents.training.runs.checkpoint import latest_checkpoint
from tests.environments.zoo import OBSERVATIONS

PARTS = "classic_control", "toy_text", "box2d"
BASE = {"total_steps": 60, "log_every": 20, "images": 1, "eval_episodes": 2, "progress": False}


def is_of_gymnasium(spec):
    return str(spec.entry_point).startswith(tuple(f"gymnasium.envs.{part}" for part in PARTS))


def course(grid):
    first = grid.reset((3, 4))
    return first, [grid.step(np.zeros((2, 2), dtype=np.int64)) for _ in range(11)]


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_vector_envs_show_what_single_envs_show(name):
    kwargs = {"name": name, "cut": True}
    single = SerialGrid("Sampled-v0", kwargs, 2, 2)
    vector = SyncVectorEnv([lambda: make_env("Sampled-v0", kwargs)] * 4, autoreset_mode=AutoresetMode.SAME_STEP)
    (first, one), (same, many) = (course(g) for g in (single, VectorGrid([vector], 2, 2, seed_rows=True)))
    assert np.array_equal(first, same)
    assert first.shape[:2] == (2, 2)
    for a, b in zip(one, many, strict=True):
        assert np.array_equal(a.obs, b.obs)
        assert (a.final_obs is None) == (b.final_obs is None)
        if a.final_obs is not None:
            assert np.array_equal(a.final_obs[a.truncated], b.final_obs[b.truncated])


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("name", ["dict", "graph"])
def test_processes_show_what_single_envs_show(name):
    (first, one), (same, many) = (
        course(build_grid(how, "Sampled-v0", {"name": name}, 2, 2)) for how in ("serial", "async")
    )
    assert np.array_equal(first, same)
    assert all(np.array_equal(a.obs, b.obs) for a, b in zip(one, many, strict=True))


@pytest.mark.parametrize("name", ["box", "many dimensions", "dict", "grid world", "nested"])
def test_a_run_trains_draws_evaluates_and_resumes(tmp_path, name):
    config = override(preset("Sampled-v0", "rstdp-et"), {**BASE, "agents": 2, "env_kwargs": (f"name:{name}",)})
    with Training(config, tmp_path) as run:
        assert run.run()
        summary = run.finish()
    assert [agent["eval_greedy"]["mean"] for agent in summary["agents"]] == [15.0, 15.0]
    weight = run.agent.layer.weight.clone()
    assert torch.isfinite(weight).all()
    with Training(override(run.config, {"total_steps": 90}), tmp_path, latest_checkpoint(tmp_path)) as again:
        assert torch.equal(again.agent.layer.weight, weight)
        assert again.run()
        assert not torch.equal(again.agent.layer.weight, weight)


class Unbounded(gym.Env):
    """A Dict in which one number has no bounds and one has."""

    observation_space = gym.spaces.Dict(
        a=gym.spaces.Box(-np.inf, 1.0, (2,)), b=gym.spaces.Discrete(2), c=gym.spaces.Box(0.0, 1.0, (1,))
    )
    action_space = gym.spaces.Discrete(2)

    def __init__(self, value=2.0):
        self.value, self.at = value, 0

    def reset(self, *, seed=None, options=None):
        self.at = 0
        return self._observation(), {}

    def step(self, action):
        self.at += 1
        return self._observation(), 0.0, self.at == 4, False, {}

    def _observation(self):
        a = np.array([-self.at, self.value if self.at == 3 else 0.0], np.float32)
        return {"a": a, "b": self.at % 2, "c": np.array([0.5], np.float32)}


gym.register("Unbounded-v0", Unbounded)


@pytest.mark.filterwarnings("ignore:.*beyond its bounds:UserWarning")
def test_parts_without_bounds_get_the_range_of_chance(tmp_path):
    assert is_unbounded(Unbounded.observation_space)
    low, high = probe_range("Unbounded-v0", {}, 0)
    assert low == pytest.approx((-5.001, -0.501, 0.0))
    assert high == (1.0, 1.0, 1.0)  # where the space has bounds, they count
    of_grids = {**BASE, "agent.encoder.code": "place-cells"}
    with Training(override(preset("Unbounded-v0", "rstdp-et"), of_grids), tmp_path) as run:
        assert run.config.agent.encoder.low == low
        assert run.run()


def test_a_part_that_is_not_finite_is_named():
    grid = SerialGrid("Unbounded-v0", {"value": np.nan}, 1, 1)
    grid.reset((0,))
    fault = r'observation\["a"\] is not finite at env step 3 in env 0 of agent 0: received nan'
    with pytest.raises(EnvironmentFault, match=fault):
        [grid.step(np.zeros((1, 1), dtype=np.int64)) for _ in range(3)]


SIMPLE = {
    **BASE, "agent.encoder.code": "place-cells", "images": 0, "eval_episodes": 20, "agent.homeostasis.tau": float("inf"),
    "agent.decoder.inverse_temperature": 30.0, "agent.modulation.critic_lr": 0.2, "agent.plasticity.lr": 4.0,
}  # fmt: skip


def learns(tmp_path, env_id, steps, *kwargs, **changes):
    """Mean return of 3 agents over their last 100 episodes, and of their frozen twins; greedy returns of the former."""
    config = override(
        preset(env_id, "rstdp-et"), {**SIMPLE, "total_steps": steps, "agents": 3, "env_kwargs": kwargs, **changes}
    )
    means = []
    for lr in (config.agent.plasticity.lr, 0.0):
        settings = {"agent.plasticity.lr": lr, "total_steps": steps if lr else 300}
        with Training(override(config, settings), tmp_path / str(lr)) as run:
            assert run.run()
            means.append([record.final_mean for record in run.tracker.records])
            if lr:
                greedy = [agent["eval_greedy"]["mean"] for agent in run.finish()["agents"]]
    return *means, greedy


@pytest.mark.parametrize("kwargs", [(), ("nested:True",)], ids=["multi-discrete", "dict"])
def test_every_component_of_an_action_is_learnt(tmp_path, kwargs):
    learnt, frozen, greedy = learns(tmp_path, "Match-v0", 1000, *kwargs)
    assert min(learnt) > 0.85
    assert max(frozen) < 0.45
    assert min(greedy) > 0.9


def test_masked_actions_are_never_chosen_and_the_others_are_learnt(tmp_path):
    learnt, frozen, greedy = learns(tmp_path, "Match-v0", 1000, "masked:True")
    assert min(learnt) > 0.85
    assert max(frozen) < 0.6  # chance, and half of one component is given away
    assert min(greedy) > 0.9


def test_numbers_and_choices_are_learnt_together(tmp_path):
    steps = {"agent.decoder.exploration": 0.2, "agent.decoder.neurons_per_action": 16, "agent.plasticity.lr": 2.0}
    learnt, frozen, greedy = learns(tmp_path, "Point-v0", 2000, **steps)
    assert min(learnt) > max(frozen) + 0.7
    assert min(greedy) > 0.4


def test_vector_implementations_without_masks_are_refused():
    with pytest.raises(UsageError, match=r"do not pass on the action masks of 'Taxi-v4'; use `serial`"):
        build_grid("vector", "Taxi-v4", {}, 1, 2)
    assert isinstance(build_grid("auto", "Taxi-v4", {}, 1, 16), SerialGrid)


@pytest.mark.parametrize("env_id", ["Taxi-v4", "Blackjack-v1"])
def test_toy_texts_run(tmp_path, env_id):
    with Training(override(preset(env_id, "rstdp-et"), BASE), tmp_path) as run:
        assert run.run()
        assert run.finish()["env"] == env_id
    assert (run.agent.parts.rows.mask is None) == (env_id == "Blackjack-v1")


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_a_state_in_two_numbers_is_learnt_as_in_one(backend):
    config = override(preset("FrozenLake-v1", "rstdp-et").agent, {"encoder.floor": 0.0})
    parts = gym.spaces.Tuple((gym.spaces.Discrete(4), gym.spaces.Discrete(4, start=1)))
    one, two = (
        Agent(config, space, gym.spaces.Discrete(4), seeds=(0, 1), envs=2, backend=backend)
        for space in (gym.spaces.Discrete(16), parts)
    )
    random, none = np.random.default_rng(0), np.zeros((2, 2), dtype=bool)
    for i in range(30):
        state, reward = random.integers(16, size=(2, 2)), random.normal(size=(2, 2))
        rows = np.stack([state // 4, state % 4 + 1], -1).astype(np.float64)
        t = Transition(state, reward, none, none)
        first, second = one.step(t) if i else one.begin(state), two.step(t._replace(obs=rows)) if i else two.begin(rows)
        assert np.array_equal(first, second)
    assert torch.equal(one.layer.weight, two.layer.weight)


@pytest.mark.filterwarnings("ignore:builtin type .*:DeprecationWarning")  # of Box2D, which an error there would kill
@pytest.mark.filterwarnings("ignore:.*out of date:DeprecationWarning")
@pytest.mark.parametrize("env_id", sorted(id for id, spec in gym.registry.items() if is_of_gymnasium(spec)))
def test_every_environment_of_gymnasium_gets_an_agent(env_id):
    try:
        env = make_env(env_id, {})
    except UsageError as error:
        pytest.skip(str(error))
    space = env.observation_space
    low, high = (
        np.nan_to_num(end, posinf=10.0, neginf=-10.0).clip(-10, 10) for end in own_bounds(numeric(Rows(space)))
    )
    settings = {"encoder.low": tuple(low), "encoder.high": tuple(high)} if is_unbounded(space) else {}
    agent = Agent(override(AgentConfig(), settings), space, env.action_space, seeds=(0,), backend="torch")
    grid = SerialGrid(env_id, {}, 1, 1)
    t = grid.step(agent.begin(grid.reset((0,))))
    assert grid.step(agent.step(t)).obs.shape == t.obs.shape
    grid.close()
