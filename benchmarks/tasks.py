"""The tasks of the learning benchmark: when one counts as solved, how long it is tried, and what others reach."""

from __future__ import annotations

from dataclasses import dataclass, field

RULES = ("rstdp-et", "rstdp", "reward-switch")
TWINS = ("linear", "random")
"""Players without spikes: a linear actor-critic on the same features, and a random policy."""


@dataclass(frozen=True)
class Task:
    """One environment of the benchmark."""

    solved: float
    """Mean return of 100 consecutive training episodes at which it counts as solved."""
    episodes: int
    """Every learner plays at least this many."""
    max_steps: int
    """Env steps per agent after which a run ends in any case."""
    target: dict[str, int] = field(default_factory=dict)
    """Episodes in which a rule is to solve it."""
    strict: tuple[float, int] | None = None
    """A harder mean return, and the episodes in which R-STDP-ET is to reach it."""
    others: dict[str, int] = field(default_factory=dict)
    """Episodes that others are known to take."""
    levels: dict[str, float] = field(default_factory=dict)
    """Mean returns that others are known to reach."""
    control: int = 100
    """Episodes of the players that do not learn."""
    note: str = ""


TASKS: dict[str, Task] = {
    "CartPole-v1": Task(
        475.0, 400, 400_000, {"rstdp-et": 150, "rstdp": 300, "reward-switch": 300}, (500.0, 169),
        {"spiking actor-critic, to 500 (Chung and Kozma 2020)": 169},
        {"DQN in 50k env steps, PPO in 100k (rl-zoo3)": 500.0, "STDP-RL (Hasegan 2022)": 144.7},
    ),
    "Acrobot-v1": Task(
        -100.0, 400, 300_000, {"rstdp-et": 150, "rstdp": 400, "reward-switch": 400},
        levels={"PPO, 1M env steps (rl-zoo3)": -73.5, "DQN, 100k env steps (rl-zoo3)": -76.6},
    ),
    "MountainCar-v0": Task(
        -110.0, 1000, 400_000, {"rstdp-et": 300, "rstdp": 1000, "reward-switch": 1000},
        levels={"DQN, 120k env steps (rl-zoo3)": -100.8, "about PPO, DQN, 500k env steps (CleanRL's defaults)": -200.0},
    ),
    "FrozenLake-v1": Task(0.70, 5000, 400_000, {"rstdp-et": 2500}, levels={"optimum": 0.74}, note="slippery, 4x4"),
    "FrozenLake8x8-v1": Task(0.85, 12_000, 1_500_000, {"rstdp-et": 10_000}, note="slippery, 8x8"),
    "CliffWalking-v1": Task(-14.3, 5000, 400_000, {"rstdp-et": 5000}, note="within 10 % of the optimum, -13"),
    "Taxi-v4": Task(8.0, 5000, 600_000, {"rstdp-et": 10_000}, note="Gymnasium's threshold; the optimum is about 7.9"),
    "LunarLander-v3": Task(
        200.0, 1000, 500_000, {"rstdp-et": 600}, None, {"spiking actor-critic, to 200 (Chung and Kozma 2020)": 2575},
        {"PPO, 1M env steps (rl-zoo3)": 242.0, "DQN, 100k env steps (rl-zoo3)": 154.0},
    ),
    "Pendulum-v1": Task(-250.0, 400, 200_000, {"rstdp-et": 250}, note="continuous action"),
    "MountainCarContinuous-v0": Task(90.0, 300, 200_000, {"rstdp-et": 150}, note="continuous action"),
    "InvertedPendulum-v5": Task(950.0, 500, 200_000, note="continuous action; extra `mujoco`"),
    "ale_py:ALE/Breakout-v5": Task(
        3.0, 100, 30_000, control=20,
        note="from the console's 128 bytes of memory; a random policy gets 1.2; extra `atari`",
    ),
    "minigrid:MiniGrid-Empty-5x5-v0": Task(
        0.9, 500, 100_000, {"rstdp-et": 300}, note="partial view of symbols; at best 0.955; extra `minigrid`",
    ),
    "minigrid:MiniGrid-Empty-8x8-v0": Task(
        0.9, 800, 200_000, {"rstdp-et": 500}, note="partial view of symbols; at best 0.961; extra `minigrid`",
    ),
}  # fmt: skip
"""In the order of the table."""

_SHARE = "the return is the share of right answers"
TASKS |= {
    "rstdp/Bandit-v0": Task(
        0.6, 150, 40_000, {"rstdp-et": 100, "rstdp": 100, "reward-switch": 100},
        note="odds 0.8, swapped every 100 pulls on average; the return is the share of pulls that paid; "
        "without learning it stays at 0.5",
    ),
    "rstdp/Bars-v0": Task(
        0.95, 20_000, 20_000, note=f"25 pixels, a convolution that learns; {_SHARE}",
    ),
    "rstdp/Catch-v0": Task(
        0.95, 2500, 40_000, {"rstdp-et": 2500},
        note="50 pixels; a random policy gets 0.2; the return is the share caught",
    ),
    "rstdp/Cue-v0": Task(
        0.95, 500, 20_000, {"rstdp-et": 200, "rstdp": 200, "reward-switch": 200}, note=f"4 cues; {_SHARE}"
    ),
    "rstdp/DelayedCue-v0": Task(
        0.95, 1000, 20_000, {"rstdp-et": 300, "reward-switch": 500},
        note=f"4 cues, delay 5; a random policy gets 0.25; {_SHARE}",
    ),
    "rstdp/Pattern-v0": Task(
        0.95, 1000, 20_000, {"rstdp-et": 500}, note=f"50 afferents; a random policy gets 0.5; {_SHARE}"
    ),
    "rstdp/Reach-v0": Task(
        0.95, 400, 20_000, {"rstdp-et": 200, "rstdp": 200, "reward-switch": 200},
        note="continuous action; the return is the share of the distance to the target that was covered",
    ),
    "rstdp/TMaze-v0": Task(0.9, 500, 40_000, {"rstdp-et": 200, "rstdp": 200, "reward-switch": 200}),
    "rstdp/WaterMaze-v0": Task(
        0.8, 600, 40_000, {"rstdp-et": 400, "rstdp": 400, "reward-switch": 400},
        note="continuous action; the return is 1 minus a hundredth of the steps",
    ),
    "rstdp/XOR-v0": Task(
        0.95, 500, 20_000, {"rstdp-et": 200, "rstdp": 200, "reward-switch": 200}, note=_SHARE
    ),
}  # fmt: skip
"""The project's own, added to the table."""
