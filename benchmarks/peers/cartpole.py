"""The least CartPole loop around a peer's layer: place cells, neurons and ticks as in our loop, and nothing else."""

from __future__ import annotations

import time

import gymnasium as gym
import numpy as np
import torch

from benchmarks.peers.work import Run, Size, Window

LOW, HIGH, CELLS = (-2.4, -3.0, -0.21, -3.0), (2.4, 3.0, 0.21, 3.0), (3, 3, 6, 5)
WIDTH, P_MAX, SHARPNESS, PER_ACTION = 0.7, 0.5, 10.0, 8
SIZE = Size(pre=270, post=2 * PER_ACTION, ticks=10)


class PlaceCells:
    """Relative rates of Gaussian bumps on a regular grid."""

    def __init__(self) -> None:
        axes = [np.linspace(low, high, n) for low, high, n in zip(LOW, HIGH, CELLS)]
        self.sigma = WIDTH * np.array([axis[1] - axis[0] for axis in axes])
        self.centres = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(CELLS)) / self.sigma

    def __call__(self, obs: np.ndarray) -> torch.Tensor:
        far = ((np.clip(obs, LOW, HIGH) / self.sigma - self.centres) ** 2).sum(1)
        return torch.from_numpy(np.exp(-0.5 * (far - far.min()))).float()


def player(window: Window) -> Run:
    """CartPole with ``window`` as the agent; the reward is 1, and -1 at the end of an episode."""
    env, cells = gym.make("CartPole-v1"), PlaceCells()

    def run(steps: int) -> float:
        obs, _ = env.reset(seed=0)
        reward = torch.ones(1)
        start = time.perf_counter()
        for _ in range(steps):
            spikes = torch.rand(SIZE.ticks, 1, SIZE.pre) < cells(obs) * P_MAX
            counts = window(spikes.float(), reward)
            rates = counts.reshape(2, PER_ACTION).mean(1) / SIZE.ticks
            action = int(torch.multinomial(torch.softmax(SHARPNESS * rates, 0), 1))
            obs, _, terminated, truncated, _ = env.step(action)
            reward = torch.full((1,), -1.0 if terminated else 1.0)
            if terminated or truncated:
                obs, _ = env.reset()
        return time.perf_counter() - start

    return run
