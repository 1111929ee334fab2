import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rstdp_agents.training.loop import Training
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint
from rstdp_agents.training.runs.reading import read_run
from tests.training.test_training import config

ray = pytest.importorskip("ray", reason="needs the extra `ray`")

from ray.cluster_utils import Cluster  # noqa: E402

from rstdp_agents.training.distributed.cluster import train_on_cluster  # noqa: E402


@pytest.fixture
def two_nodes(monkeypatch):
    """A cluster of a head, on which nothing runs but the launcher, and two machines with one CPU each."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setenv("RAY_DEDUP_LOGS", "0")
    soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 4}
    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": soon}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster, nodes
    ray.shutdown()
    cluster.shutdown()


def in_the_middle(cluster, node, parts):
    """Kill a node once a part has a checkpoint stored; machines take their time to start, so the other may not have begun."""
    while not any(list(part.glob("checkpoints/*.safetensors")) for part in parts):
        time.sleep(0.05)
    cluster.remove_node(node, allow_graceful=False)


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # of ray
def test_a_population_on_two_machines_of_which_one_dies_is_the_population_of_one_process(tmp_path, two_nodes):
    cluster, nodes = two_nodes
    settings = {"total_steps": 16_000, "checkpoint_every": 2_000, "log_every": 4_000, "images": 0, "eval_episodes": 2}
    probed = {
        "agent.encoder.low": (),
        "agent.encoder.high": (),
    }  # the range is that of chance, by the first seed of all
    settings = config(agents=3, backend="fused", **settings, **probed)
    with Training(settings, tmp_path / "alone") as alone:
        alone.run()
        expected = alone.finish()
    parts = [tmp_path / "spread" / "parts" / str(i) for i in range(2)]
    killer = threading.Thread(target=in_the_middle, args=(cluster, nodes[0], parts))
    killer.start()
    storage = (tmp_path / "spread" / "parts").as_uri()
    summary = train_on_cluster(replace(settings, launcher="ray", storage=storage), tmp_path / "spread")
    killer.join()
    ranges = [read_run(tmp_path / name).config.agent.encoder for name in ("alone", "spread/parts/0", "spread/parts/1")]
    assert ranges[0] == ranges[1] == ranges[2]
    assert summary["agents"] == expected["agents"]
    assert json.loads((tmp_path / "spread" / "summary.json").read_text()) == summary
    whole, together = (load_checkpoint(latest_checkpoint(tmp_path / name)) for name in ("alone", "spread"))
    assert together[1]["records"] == whole[1]["records"]
    for name in ("output.weight", "output.z0", "output.offset", "critic.weight", "critic.trace", "fused.counters"):
        assert torch.equal(together[0][name], whole[0][name]), name
    events = EventAccumulator(str(tmp_path / "spread"))
    events.Reload()
    points = {point.step: point.value for point in events.Scalars("learn/w_mean")}
    assert sorted(points) == [4_000, 8_000, 12_000, 16_000]
    assert points[16_000] == pytest.approx(float(whole[0]["output.weight"].mean()), rel=1e-5)
    assert np.isfinite([point.value for point in events.Scalars("charts/episodic_return")]).all()
