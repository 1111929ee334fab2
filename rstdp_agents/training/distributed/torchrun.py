"""A process that torchrun started: it joins the others, and goes on from the last checkpoint where it was started again."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch.distributed as dist
from tqdm import tqdm

from rstdp_agents.base.errors import RankLost, UsageError
from rstdp_agents.base.signals import stop_requests
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.distributed.peers import RankPeers
from rstdp_agents.training.distributed.ranks import Ranks, join
from rstdp_agents.training.loop import Training
from rstdp_agents.training.runs import resume
from rstdp_agents.training.runs.checkpoint import checkpoints, latest_checkpoint


def train(
    config: RunConfig, checkpoint: Path | None, folder_of: Callable[[RunConfig, Path | None], Path | None], note: str
) -> tuple[dict[str, Any], int]:
    """Train with the other processes; returns the summary, empty but on rank 0 and where it was interrupted, and the exit code.

    folder_of: as `commands.train.run_folder`. Raises RankLost with what to do.
    """
    with stop_requests():  # torchrun asks those that are left to stop while they still clean up
        ranks = join(config.device)
        try:
            folder, checkpoint = ranks.broadcast(_where(ranks, config, checkpoint, folder_of))
            if isinstance(folder, Exception):
                raise folder
            return _train(ranks, replace(config, run_dir=str(folder or "")), folder, checkpoint, note)
        finally:
            dist.destroy_process_group()


def _train(
    ranks: Ranks, config: RunConfig, folder: Path | None, checkpoint: Path | None, note: str
) -> tuple[dict[str, Any], int]:
    config = replace(config, progress=config.progress and ranks.rank == 0)
    with Training(config, folder, checkpoint, peers=RankPeers(ranks, config)) as training:
        folder = training.folder
        if ranks.rank == 0:
            rule, where = config.agent.rule, f"from {checkpoint}" if checkpoint else note
            print(f"{rule} on {config.env} ({where}), {ranks.size} processes, writing to {folder}", flush=True)
            training.monitor.introduce(tqdm.write)
        try:
            done = training.run()
        except RankLost as error:
            last = checkpoints(folder)[-1:] or ["none yet"]
            raise RankLost(f"{error} after env step {training.step}; the last checkpoint: {last[0]}") from error
        if done:
            return training.finish(), 0
        if ranks.rank == 0:
            print(f"interrupted at step {training.step}; resume with --resume {folder}", flush=True)
        return {}, 128 + training.stopped_by


def _where(
    ranks: Ranks, config: RunConfig, checkpoint: Path | None, folder_of: Callable[[RunConfig, Path | None], Path | None]
) -> tuple[Any, Path | None]:
    """Folder and checkpoint, or what is wrong with them; asked by rank 0 for all."""
    if ranks.rank:
        return None, None
    if int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0")) and not (config.run_dir or checkpoint):
        return UsageError(
            "`torchrun --max-restarts` needs --run-dir, where the run goes on when it is started again"
        ), None
    folder = Path(config.run_dir) if config.run_dir else resume.folder_of(checkpoint) if checkpoint else None
    if folder and int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")):
        return folder, latest_checkpoint(folder) if checkpoints(folder) else checkpoint
    try:
        return folder_of(config, checkpoint), checkpoint
    except ValueError as error:
        return error, None
