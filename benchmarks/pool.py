"""The environments of the generality benchmark. The *choice* pool may be looked at while a setting is chosen; the *held-out* pool
is for what is reported, and is run once for each setting.

The choice pool holds what once had a preset here, and what earlier settings were judged by. No task of the held-out pool
was tried by an agent of this project before its first report; where its id once had a preset, the task is another one, made
harder to read. One of them has moved a setting: that noisy observations of CartPole had become harder, when it was played by
a setting that was not kept, led to the noisy tasks of the choice pool, and to a longer trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rstdp_agents.base.settings import override
from rstdp_agents.training.config import RunConfig

Pool = Literal["choice", "held-out"]


@dataclass(frozen=True)
class PoolTask:
    """An environment, and for how long it is learnt."""

    kind: str
    """Where it comes from, or how it was changed."""
    pool: Pool
    env: str
    """As `RunConfig.env`."""
    steps: int = 30_000
    """Env steps of each agent; the last fifth of them is what counts."""
    env_kwargs: tuple[str, ...] = ()
    """As `RunConfig.env_kwargs`."""
    wrapper: tuple[str, ...] = ()
    """As `RunConfig.wrapper`."""
    limit: int = 0
    """Steps after which an episode is truncated; 0 for the environment's own limit."""

    def run(self, base: RunConfig) -> RunConfig:
        """``base`` on this environment."""
        task = {"env": self.env, "env_kwargs": self.env_kwargs, "wrapper": self.wrapper}
        return override(base, {**task, "max_episode_steps": self.limit, "total_steps": self.steps})


LAKE = 'desc:["SFFFF", "FHFHF", "FFFFH", "HFHFF", "FFFFG"]'
TRIALS = ("dt:100",)
"""NeuroGym: an env step of 100 ms, since its stimuli last several hundred."""
COARSE = ('config:{"simulation_frequency": 5}',)
"""highway-env: a third of the default simulation steps, which are what takes time."""
VARIANTS = "benchmarks.variants:"


def _choice() -> dict[str, PoolTask]:
    def changed(env: str, variant: str, kind: str, steps: int = 50_000) -> PoolTask:
        return PoolTask(kind, "choice", env, steps, wrapper=(VARIANTS + variant,))

    control = ("CartPole-v1", "Acrobot-v1", "MountainCar-v0", "Pendulum-v1", "MountainCarContinuous-v0")
    mujoco = ("InvertedPendulum-v5", "InvertedDoublePendulum-v5", "Hopper-v5", "Reacher-v5")
    neurogym = ("PerceptualDecisionMaking", "ContextDecisionMaking", "ReadySetGo", "GoNogo")
    own = ("Catch", "DelayedCue", "Pattern", "Reach", "TMaze", "WaterMaze")
    return {
        **{env: PoolTask("classic control", "choice", env, 50_000) for env in control},
        "CartPole-v1, positions only": changed("CartPole-v1", "positions_only", "classic control"),
        "CartPole-v1, rewards x1000": changed("CartPole-v1", "rewards_x1000", "scaled"),
        "CartPole-v1, rewards x0.001": changed("CartPole-v1", "rewards_x0_001", "scaled"),
        "CartPole-v1, observations x1000": changed("CartPole-v1", "observations_x1000", "scaled"),
        "InvertedPendulum-v5, noisy observations": changed("InvertedPendulum-v5", "NoisyObservations", "noisy"),
        "InvertedPendulum-v5, noisy rewards": changed("InvertedPendulum-v5", "NoisyRewards", "noisy"),
        "MountainCar-v0, noisy rewards": changed("MountainCar-v0", "NoisyRewards", "noisy"),
        "Acrobot-v1, ten distracting numbers": changed("Acrobot-v1", "DistractingObservations", "noisy"),
        "LunarLander-v3": PoolTask("Box2D", "choice", "LunarLander-v3", 100_000),
        **{env: PoolTask("MuJoCo", "choice", env, 50_000) for env in mujoco},
        "FrozenLake-v1": PoolTask("toy text", "choice", "FrozenLake-v1"),
        "FrozenLake-v1, not slippery": PoolTask("toy text", "choice", "FrozenLake-v1", env_kwargs=("is_slippery:False",)),
        "CliffWalking-v1": PoolTask("toy text", "choice", "CliffWalking-v1", 50_000, limit=200),
        "Taxi-v4": PoolTask("toy text", "choice", "Taxi-v4", 50_000),
        "Blackjack-v1": PoolTask("toy text", "choice", "Blackjack-v1", 20_000),
        "MiniGrid-Empty-8x8-v0": PoolTask("MiniGrid", "choice", "minigrid:MiniGrid-Empty-8x8-v0", 50_000),
        "MiniGrid-Empty-Random-6x6-v0": PoolTask("MiniGrid", "choice", "minigrid:MiniGrid-Empty-Random-6x6-v0"),
        **{
            f"MinAtar/{game}-v1": PoolTask("MinAtar", "choice", f"MinAtar/{game}-v1", 100_000, limit=5000)
            for game in ("Breakout", "SpaceInvaders")
        },
        **{
            f"neurogym {name}": PoolTask("NeuroGym", "choice", f"neurogym:{name}-v0", env_kwargs=TRIALS, limit=100)
            for name in neurogym
        },
        "popgym HigherLower": PoolTask("POPGym", "choice", "popgym:popgym-HigherLowerEasy-v0"),
        "highway two-way": PoolTask("highway-env", "choice", "highway_env:two-way-v0", 10_000, COARSE),
        "FlappyBird-v0": PoolTask(
            "Flappy Bird", "choice", "flappy_bird_gymnasium:FlappyBird-v0", 30_000, ("use_lidar:False",), limit=2000
        ),
        **{f"rstdp/{name}-v0": PoolTask("own tasks", "choice", f"rstdp/{name}-v0") for name in own},
        **{f"rstdp/{name}-v0": PoolTask("own tasks", "choice", f"rstdp/{name}-v0", 10_000) for name in ("Bars", "XOR")},
        **{
            f"track in {n}": PoolTask(
                "small worlds", "choice", "benchmarks.worlds:Track", 30_000, (f"dimensions:{n}",), limit=50
            )
            for n in (1, 2, 6)
        },
        **{
            f"bandit of {n} numbers": PoolTask(
                "small worlds", "choice", "benchmarks.worlds:ContextualBandit", 30_000, (f"numbers:{n}",)
            )
            for n in (10, 30)
        },
        "grid world": PoolTask("small worlds", "choice", "benchmarks.worlds:GridWorld", limit=100),
    }  # fmt: skip


def _held_out() -> dict[str, PoolTask]:
    def changed(env: str, variant: str, kind: str) -> PoolTask:
        return PoolTask(kind, "held-out", env, 50_000, wrapper=(VARIANTS + variant,))

    minigrid = ("DoorKey-5x5", "FourRooms", "LavaGapS5", "Dynamic-Obstacles-5x5")
    neurogym = ("Reaching1D", "MultiSensoryIntegration", "EconomicDecisionMaking")
    return {
        "LunarLanderContinuous-v3": PoolTask("Box2D", "held-out", "LunarLanderContinuous-v3", 100_000),
        "BipedalWalker-v3": PoolTask("Box2D", "held-out", "BipedalWalker-v3", 100_000),
        **{env: PoolTask("MuJoCo", "held-out", env, 50_000) for env in ("Swimmer-v5", "HalfCheetah-v5", "Pusher-v5")},
        "CliffWalkingSlippery-v1": PoolTask("toy text", "held-out", "CliffWalkingSlippery-v1", 50_000, limit=200),
        "FrozenLake-v1, another map": PoolTask("toy text", "held-out", "FrozenLake-v1", 50_000, (LAKE,)),
        **{
            f"MiniGrid-{name}-v0": PoolTask("MiniGrid", "held-out", f"minigrid:MiniGrid-{name}-v0", 50_000)
            for name in minigrid
        },
        **{
            f"MinAtar/{game}-v1": PoolTask("MinAtar", "held-out", f"MinAtar/{game}-v1", 100_000, limit=5000)
            for game in ("Asterix", "Freeway", "Seaquest")
        },
        **{
            f"neurogym {name}": PoolTask("NeuroGym", "held-out", f"neurogym:{name}-v0", env_kwargs=TRIALS, limit=100)
            for name in neurogym
        },
        **{
            f"popgym {name}": PoolTask("POPGym", "held-out", f"popgym:popgym-{name}Easy-v0")
            for name in ("PositionOnlyPendulum", "VelocityOnlyCartpole", "MineSweeper")
        },
        "highway u-turn": PoolTask("highway-env", "held-out", "highway_env:u-turn-v1", 10_000, COARSE),
        "highway lane-keeping": PoolTask("highway-env", "held-out", "highway_env:lane-keeping-v0", 10_000),
        "CartPole-v1, noisy observations": changed("CartPole-v1", "NoisyObservations", "noisy"),
        "CartPole-v1, ten distracting numbers": changed("CartPole-v1", "DistractingObservations", "noisy"),
        "CartPole-v1, noisy rewards": changed("CartPole-v1", "NoisyRewards", "noisy"),
        "Acrobot-v1, rewards x1000": changed("Acrobot-v1", "rewards_x1000", "scaled"),
        "Pendulum-v1, rewards x0.001": changed("Pendulum-v1", "rewards_x0_001", "scaled"),
        "MountainCar-v0, observations x1000": changed("MountainCar-v0", "observations_x1000", "scaled"),
    }  # fmt: skip


POOL: Mapping[str, PoolTask] = {**_choice(), **_held_out()}
"""By name, the choice pool first."""
