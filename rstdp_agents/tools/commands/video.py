"""Film an agent at work: the picture of its environment beside spikes, rates, value, eligibility and reward."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.base import screen, validate
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.escape import figure
from rstdp_agents.base.plugins import optional
from rstdp_agents.base.progress import Bar
from rstdp_agents.environments import SerialGrid, env_seeds
from rstdp_agents.tools.commands.arguments import AgentArgs, parse
from rstdp_agents.training.episodes import EpisodeTracker
from rstdp_agents.training.interaction import Interaction
from rstdp_agents.training.reports.film import Film, FilmStep
from rstdp_agents.training.run import load_run
from rstdp_agents.training.runs.trust import Trust


@dataclass(frozen=True, kw_only=True)
class Args(AgentArgs):
    """A film of one agent, which chooses its actions as in training and does not learn."""

    agent: int = 0
    """Which agent of the population, counted from 0."""
    steps: int = 500
    """Env steps, one frame each."""
    seed: int | None = None
    """Seed of the episodes; by default the first of the run's closing evaluation."""
    fps: int = 30
    """Frames per second."""
    out: Path = Path("video.mp4")
    """File to write."""

    def __post_init__(self) -> None:
        validate.positive("steps", self.steps)
        validate.positive("fps", self.fps)


def main(argv: list[str]) -> int:
    """Play and film."""
    args = parse(Args, "video", argv, __doc__)
    writer = optional("imageio_ffmpeg", "video")
    torch.set_num_threads(1)
    screen.draw_unseen()
    trained = load_run(args.run, device=args.device, trust=Trust.of_line(args.trust, argv))
    agent = trained.single(args.agent)
    seed = trained.config.seeds[args.agent] if args.seed is None else args.seed
    frozen = trained.learnt(args.agent)[:1]
    grid = SerialGrid(trained.source, trained.rendered("rgb_array"), 1, 1, frozen=frozen)
    title = figure(f"{trained.config.env}, {trained.config.agent.rule}, seed {trained.config.seeds[args.agent]}")
    shots = film_steps(agent, grid, env_seeds(seed, 1, purpose=1)[0], args.steps, title)
    try:
        write(writer, args.out, args.fps, frames(shots, agent.layer.dt, args.steps))
    finally:
        grid.close()
    print(f"wrote {args.out}: {args.steps} env steps")
    return 0


def film_steps(agent: Agent, grid: SerialGrid, seed: int, steps: int, title: str) -> Iterator[FilmStep]:
    """Env steps of a single agent, as they happen."""
    play, total, episode = Interaction(agent, grid, EpisodeTracker(1, 1, None)), 0.0, 1
    obs = play.begin((seed,))
    for step in range(1, steps + 1):
        picture = np.asarray(grid.envs[0].render())
        if picture.ndim != 3:
            raise UsageError("the environment renders nothing; a film needs the render mode rgb_array")
        value, (pre, *_, post) = agent.value(obs), agent.spikes()
        rates = agent.decoder.rates(post).flatten().cpu().numpy() * 1000.0 / agent.layer.dt
        t, _ = play.step(step)
        obs, total = t.obs, total + float(t.reward[0, 0])
        caption = f"{title}\nepisode {episode}, return {total:.1f}"
        eligibility = sum(float(z.square().mean()) for z in agent.eligibility()) ** 0.5
        yield FilmStep(
            picture[..., :3], pre[:, 0, 0].cpu().numpy(), post[:, 0, 0].cpu().numpy(), rates,
            None if value is None else float(value[0, 0]), eligibility, float(t.reward[0, 0]), float(agent.m[0, 0]), caption,
        )  # fmt: skip
        if t.any_done:
            total, episode = 0.0, episode + 1


def frames(shots: Iterator[FilmStep], dt: float, steps: int) -> Iterator[np.ndarray]:
    """Frames of the steps."""
    film = None
    with Bar(steps, "frame", "filming", stays=True) as bar:
        for done, shot in enumerate(shots, 1):
            film = film or Film(shot, dt)
            yield film.frame(shot)
            if bar.due() or done == steps:
                bar.move(done)


def write(writer: Any, out: Path, fps: int, pictures: Iterator[np.ndarray]) -> None:
    """Write an mp4 under another name and rename it, so that ``out`` is never half written."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial, video = out.with_name(out.stem + ".partial.mp4"), None
    try:
        for picture in pictures:
            if video is None:
                video = writer.write_frames(str(partial), picture.shape[1::-1], fps=fps, macro_block_size=16)
                video.send(None)
            video.send(picture)
        if video is not None:
            video.close()
            os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)
