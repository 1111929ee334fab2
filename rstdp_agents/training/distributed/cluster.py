"""A population on a Ray cluster: parts are trained by tasks, which go on from their last checkpoint where a machine dies."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from rstdp_agents.base.errors import RankLost
from rstdp_agents.base.files import write_whole
from rstdp_agents.base.plugins import optional
from rstdp_agents.base.settings import from_json
from rstdp_agents.training.config import RunConfig, source_of
from rstdp_agents.training.distributed.merge import Merged, merge_checkpoints, merge_summaries
from rstdp_agents.training.distributed.shards import split, train_shard
from rstdp_agents.training.distributed.storage import Storage
from rstdp_agents.training.ranged import ranged
from rstdp_agents.training.runs.folder import new_identity, write_settings

ray: Any = optional("ray", "ray")
RESTARTS = 10
"""Times that a part is started again elsewhere before the run gives up."""
LOOK_EVERY = 1.0
"""Seconds between two looks at what the parts report."""


class Reports:
    """An actor that keeps what the parts report until the launcher comes for it."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, int, dict[str, float]]] = []

    def put(self, part: int, step: int, values: dict[str, float]) -> None:
        """Take a report of a part."""
        self.waiting.append((part, step, values))

    def take(self) -> list[tuple[int, int, dict[str, float]]]:
        """All reports since the last time."""
        taken, self.waiting = self.waiting, []
        return taken


def train_part(part: int, config: dict[str, Any], uri: str, reports: Any) -> dict[str, Any]:
    """Train one part of the population to its end, on a worker; returns the summary."""
    return train_shard(from_json(RunConfig, config), uri, lambda step, values: reports.put.remote(part, step, values))


def connect() -> None:
    """Join the running Ray cluster, or start one on this machine."""
    if ray.is_initialized():
        return
    try:
        ray.init(address="auto", log_to_driver=False)
    except ConnectionError:
        ray.init(log_to_driver=False)


def train_on_cluster(config: RunConfig, folder: Path) -> dict[str, Any]:
    """Train the population of ``config``, a part per CPU of the cluster; returns its summary.

    folder: of this machine, for TensorBoard, summary.json and a checkpoint of the whole population. The folders of the parts are
    stored at ``config.storage``, which every machine has to reach, or in ``folder`` if it is empty.
    """
    connect()
    config = ranged(config, *source_of(config))  # once, for all that train with it
    cpus = int(ray.cluster_resources().get("CPU", 1)) // config.threads
    parts = split(config, max(1, cpus))
    root = config.storage or str((folder / "parts").resolve())
    uris = [f"{root.rstrip('/')}/{i}" for i in range(len(parts))]
    folder.mkdir(parents=True, exist_ok=True)
    write_settings(folder, config, run := new_identity())
    reports = _beside_me(Reports)
    train = ray.remote(num_cpus=config.threads, max_retries=RESTARTS)(train_part)
    running = [
        train.remote(i, asdict(part), uri, reports) for i, (part, uri) in enumerate(zip(parts, uris, strict=True))
    ]
    with SummaryWriter(str(folder)) as writer:
        merged = Merged(writer, [part.agents for part in parts])
        summaries = follow(running, reports, merged)
    summary = merge_summaries(summaries)
    fetch_checkpoint(config, uris, folder, run)
    write_whole(folder / "summary.json", json.dumps(summary, indent=2) + "\n")
    return summary


def fetch_checkpoint(config: RunConfig, uris: list[str], folder: Path, run: str) -> None:
    """Write the last checkpoints of all parts, which are stored at ``uris``, as one of the whole population."""
    with tempfile.TemporaryDirectory() as scratch:
        copies = [Path(scratch) / str(i) for i in range(len(uris))]
        for uri, copy in zip(uris, copies, strict=True):
            Storage(uri).download(copy)
        merge_checkpoints(config, copies, folder, run)


def follow(running: list[Any], reports: Any, merged: Merged) -> list[dict[str, Any]]:
    """Wait for all parts, and write what they report meanwhile; returns what they return, and raises what they raise."""
    left = running
    while left:
        _, left = ray.wait(left, num_returns=len(left), timeout=LOOK_EVERY)
        for report in ray.get(reports.take.remote()):
            merged.add(*report)
    try:
        return ray.get(running)
    except ray.exceptions.RayTaskError as error:  # what the part itself raised
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise RankLost(f"a part was lost {RESTARTS} times: {str(error).splitlines()[0]}") from error


def _beside_me(actor: type) -> Any:
    """An actor on the launcher's own machine, which lives as long as the launcher does."""
    strategies = optional("ray.util.scheduling_strategies", "ray")
    here = strategies.NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    return ray.remote(num_cpus=0, scheduling_strategy=here)(actor).remote()
