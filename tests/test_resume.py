"""Runs that are killed and go on, against runs that never stopped."""

import os
import random
import signal

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rstdp_agents.checkpoint import latest_checkpoint, load_checkpoint
from rstdp_agents.config import override
from rstdp_agents.presets import preset
from rstdp_agents.training import Training
from tests import helpers

forks = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
PLAIN = {f"agent.{name}": value for name, value in helpers.PLAIN.items()}
SHORT = {
    "total_steps": 360, "checkpoint_every": 40, "log_every": 60, "images": 0, "eval_episodes": 2, "eval_every": 180,
    "progress": False,
}  # fmt: skip
KINDS = {
    "population": {"agents": 2, "envs_per_agent": 2, "backend": "fused", "agent.plasticity.lr_halved_after": 3.0},
    "own-vector": {
        "envs_per_agent": 16,
        "backend": "fused",
        "total_steps": 960,
        "agent.homeostasis.param": "threshold",
    },
    "torch": {"backend": "torch", "agent.rule": "reward-switch", "agent.simulation.fresh_each_window": False},
    "td-spiking": {"agents": 2, "agent.modulator": "td-spiking", "agent.modulation.critic_lr": 0.002},
    "processes": {"envs_per_agent": 2, "vectorization": "async", "backend": "fused"},
}


def config(**changes):
    return override(preset("CartPole-v1", "rstdp-et"), PLAIN | SHORT | changes)


def train(settings, folder, told=None):
    """Begin or go on in ``folder``; ``told`` is a pipe that gets a byte for every env step."""
    checkpoint = latest_checkpoint(folder) if (folder / "checkpoints").exists() else None
    with Training(settings, folder, checkpoint) as run:
        if told is not None:
            record = run.monitor.record

            def tell(step, episodes):
                record(step, episodes)
                os.write(told, b".")

            run.monitor.record = tell
        run.run()
        run.finish()


def killed(settings, folder, steps):
    """Train in a process of its own, killed some time after it has made so many env steps, at whatever it does then."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reads)
            train(settings, folder, writes)
        finally:
            os._exit(0)
    os.close(writes)
    while steps and os.read(reads, 1):
        steps -= 1
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reads)


def scalars(folder):
    events = EventAccumulator(str(folder), {"scalars": 0})
    events.Reload()
    tags = set(events.Tags()["scalars"]) - {"charts/sps"}
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in tags}


def assert_same_run(one, other):
    (tensors, data), (others, other_data) = (load_checkpoint(latest_checkpoint(folder)) for folder in (one, other))
    assert tensors.keys() == others.keys()
    assert all(torch.equal(tensors[name], others[name]) for name in tensors)
    assert data.pop("monitor")["episodes"] == other_data.pop("monitor")["episodes"]
    assert data == other_data  # episodes, action, envs and all
    rows, other_rows = (
        [row.split(",") for row in (folder / "monitor.csv").read_text().splitlines()[1:]] for folder in (one, other)
    )
    assert [row[:2] + row[3:] for row in rows] == [row[:2] + row[3:] for row in other_rows]
    seconds = [float(row[2]) for row in other_rows[1:]]
    assert seconds == sorted(seconds)
    assert len(rows) > 5
    assert scalars(one) == scalars(other)
    with np.load(one / "evaluations.npz") as expected, np.load(other / "evaluations.npz") as got:
        assert all(np.array_equal(expected[name], got[name]) for name in ("timesteps", "results", "ep_lengths"))
    assert (one / "summary.json").read_text() == (other / "summary.json").read_text()


@forks
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_not(kind, tmp_path):
    settings, moments = config(**KINDS[kind]), random.Random(kind)
    train(settings, tmp_path / "undisturbed")
    steps = settings.total_steps // settings.envs_per_agent
    for _ in range(4):
        killed(settings, tmp_path / "killed", moments.randrange(10, steps // 3))
    train(settings, tmp_path / "killed")
    assert_same_run(tmp_path / "undisturbed", tmp_path / "killed")
