"""Environments of other packages, as far as they are installed: made, trained for a moment, evaluated.

THIRD_PARTIES=all fails where one is missing, as .ci/run has it.
"""

import importlib
import os

import gymnasium as gym
import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rstdp_agents.base.errors import EnvironmentFault
from rstdp_agents.base.settings import override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset

pytestmark = pytest.mark.filterwarnings("ignore")  # what other packages warn of is not ours to mend
SHORT = {"total_steps": 120, "eval_episodes": 1, "images": 0, "progress": False, "max_episode_steps": 40}
KNOWN = [
    ("Box2D", "LunarLander-v3", {}),
    ("Box2D", "BipedalWalker-v3", {}),
    ("mujoco", "InvertedPendulum-v5", {}),
    ("mujoco", "Reacher-v5", {}),
    ("minigrid", "minigrid:MiniGrid-Empty-5x5-v0", {}),
    ("minigrid", "minigrid:MiniGrid-Empty-5x5-v0", {"wrapper": ("minigrid.wrappers:ImgObsWrapper",)}),
    ("minigrid", "BabyAI-GoToObj-v0", {}),  # known without their module in front, as are the next and MinAtar's
    ("ale_py", "ALE/Pong-v5", {"env_kwargs": ("obs_type:ram",)}),
    ("minatar", "MinAtar/Breakout-v1", {}),
    ("ale_py", "ale_py:ALE/Breakout-v5", {"env_kwargs": ("obs_type:grayscale",), "wrapper": (f"{__name__}:small",)}),
    (
        "highway_env", "highway_env:highway-fast-v0",  # slow: bounds are given, so that no chance has to find them
        {"total_steps": 30, "max_episode_steps": 8, "agent.encoder.low": (-1.0,) * 25, "agent.encoder.high": (1.0,) * 25},
    ),
    ("popgym", "popgym:popgym-RepeatFirstEasy-v0", {}),
    (
        "mo_gymnasium", "mo_gymnasium:deep-sea-treasure-v0",
        {"wrapper": ("mo_gymnasium.wrappers:LinearReward",)},
    ),
]  # fmt: skip


def installed(package):
    try:
        importlib.import_module(package)
    except ImportError as error:
        if os.environ.get("THIRD_PARTIES") == "all":
            raise
        pytest.skip(f"{package} is not installed: {error}")


def small(env):
    """Every fifth row and every fourth column of a picture."""
    space = gym.spaces.Box(0, 255, (42, 40), np.uint8)
    return gym.wrappers.TransformObservation(env, lambda picture: picture[::5, ::4], space)


@pytest.mark.parametrize(("package", "env", "settings"), KNOWN)
def test_trains_and_evaluates(package, env, settings, tmp_path):
    installed(package)
    with Training(override(preset(env, "rstdp-et"), {**SHORT, **settings}), tmp_path) as training:
        before = training.agent.layer.weight.clone()
        assert training.run()
        weight = training.agent.layer.weight
        assert torch.isfinite(weight).all()
        assert training.agent.statistics.windows > 0
        summary = training.finish()
        assert np.isfinite(summary["aggregate"]["eval_greedy"]["mean"])
        if package in ("Box2D", "mujoco", "highway_env", "mo_gymnasium"):  # which reward every step
            assert not torch.equal(weight, before)


def test_rewards_of_several_objectives_are_told_of_their_wrapper():
    installed("mo_gymnasium")
    grid = SerialGrid("mo_gymnasium:deep-sea-treasure-v0", {}, 1, 1)
    grid.reset((0,))
    with pytest.raises(EnvironmentFault, match=r"expected one number; .*--wrapper mo_gymnasium.wrappers:LinearReward"):
        grid.step(np.array([[1]]))


def test_trials_of_neurogym_are_counted_in_episodes_that_only_a_limit_ends(tmp_path):
    installed("neurogym")
    task = {"env_kwargs": ("dt:100",), "max_episode_steps": 100, "info_keywords": ("performance",)}
    short = {"total_steps": 400, "log_every": 200, "eval_episodes": 1, "images": 0, "progress": False}
    config = override(preset("neurogym:PerceptualDecisionMaking-v0", "rstdp-et"), {**short, **task})
    with Training(config, tmp_path) as training:
        assert training.run()
        training.finish()
    rows = [row.split(",") for row in (tmp_path / "monitor.csv").read_text().splitlines()[1:]]
    assert rows[0] == ["r", "l", "t", "agent", "performance"]
    assert [row[1] for row in rows[1:]] == ["100"] * 4
    performance = np.array([float(row[4]) for row in rows[1:]])
    assert np.isfinite(performance).all()
    assert ((performance >= 0) & (performance <= 1)).all()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    points = [(event.step, event.value) for event in events.Scalars("info/performance")]
    assert points == [(200, pytest.approx(performance[:2].mean())), (400, pytest.approx(performance[2:].mean()))]
