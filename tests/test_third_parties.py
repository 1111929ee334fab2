"""Environments of other packages, as far as they are installed: made, trained for a moment, evaluated."""

import importlib

import numpy as np
import pytest
import torch

from rstdp_agents.config import override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.errors import EnvironmentFault
from rstdp_agents.presets import preset
from rstdp_agents.training import Training

pytestmark = pytest.mark.filterwarnings("ignore")  # what other packages warn of is not ours to mend
SHORT = {"total_steps": 120, "eval_episodes": 1, "images": 0, "progress": False, "max_episode_steps": 40}
KNOWN = [
    ("Box2D", "LunarLander-v3", {}),
    ("Box2D", "BipedalWalker-v3", {}),
    ("mujoco", "InvertedPendulum-v5", {}),
    ("mujoco", "Reacher-v5", {}),
    ("minigrid", "minigrid:MiniGrid-Empty-5x5-v0", {}),
    ("minigrid", "minigrid:MiniGrid-Empty-5x5-v0", {"wrapper": ("minigrid.wrappers:ImgObsWrapper",)}),
    ("ale_py", "ale_py:ALE/Pong-v5", {"env_kwargs": ("obs_type:ram",)}),
    (
        "highway_env", "highway_env:highway-fast-v0",  # slow: bounds are given, so that no chance has to find them
        {"total_steps": 30, "max_episode_steps": 8, "agent.encoder.low": (-1.0,) * 25, "agent.encoder.high": (1.0,) * 25},
    ),
    ("neurogym", "neurogym:PerceptualDecisionMaking-v0", {"env_kwargs": ("dt:100",)}),
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
        pytest.skip(f"{package} is not installed: {error}")


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
