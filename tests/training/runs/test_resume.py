"""Runs that are killed and go on, against runs that never stopped."""

import json
import os
import random
import signal

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import override
from rstdp_agents.tools.cli import main
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.loop import Training
from rstdp_agents.training.peers import Alone
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint
from rstdp_agents.training.training_envs import TrainingEnvs
from tests.helpers import OF_A_RUN

forks = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
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
    "carried": {
        "agents": 4,
        "envs_per_agent": 2,
        "backend": "fused",
        "agent.simulation.fresh_each_window": False,
        "agent.network.dale": True,
        "agent.network.max_delay": 7.0,
    },
    "td-spiking": {"agents": 2, "agent.modulator": "td-spiking", "agent.modulation.critic_neurons": 8},
    "processes": {
        "agents": 2,
        "envs_per_agent": 2,
        "vectorization": "async",
        "backend": "fused",
        "agent.rule": "rstdp",
    },
}


def config(**changes):
    return override(RunConfig(), OF_A_RUN | SHORT | changes)


def train(settings, folder, told=None):
    """Begin or go on in ``folder``; ``told`` is a pipe that gets a byte for every env step."""
    checkpoint = latest_checkpoint(folder) if (folder / "checkpoints").exists() else None
    with Training(settings, folder, checkpoint) as run:
        if told is not None:
            record = run.monitor.record

            def tell(*noted):
                record(*noted)
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


@pytest.mark.slow
@forks
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_not(kind, tmp_path):
    settings, moments = config(**KINDS[kind]), random.Random(kind)
    train(settings, tmp_path / "undisturbed")
    steps = settings.total_steps // settings.envs_per_agent
    for _ in range(3):
        killed(settings, tmp_path / "killed", moments.randrange(10, steps // 3))
    train(settings, tmp_path / "killed")
    assert_same_run(tmp_path / "undisturbed", tmp_path / "killed")


@pytest.mark.parametrize("kind", ["population", "torch"])
def test_the_same_command_gives_the_same_bits(kind, tmp_path):
    for name in ("one", "other"):
        train(config(**KINDS[kind]), tmp_path / name)
    assert_same_run(tmp_path / "one", tmp_path / "other")


def test_a_run_killed_before_its_first_checkpoint_starts_over(tmp_path, capsys):
    settings = ["--total-steps", "200", "--eval-episodes", "2", "--images", "0", "--no-progress", "--log-every", "50"]
    assert main([*settings, "--run-dir", str(tmp_path / "one")]) == 0
    killed(override(RunConfig(), {"images": 0, "progress": False}), tmp_path / "two", 30)
    (tmp_path / "two" / "config.json").write_text((tmp_path / "one" / "config.json").read_text())
    assert not (tmp_path / "two" / "checkpoints").exists()
    assert main(["--resume", str(tmp_path / "two")]) == 0
    assert f"starting over {tmp_path / 'two'}, which has no checkpoint" in capsys.readouterr().out
    rows = [(tmp_path / name / "monitor.csv").read_text().splitlines()[2:] for name in ("one", "two")]
    assert [row.split(",")[:2] for row in rows[0]] == [row.split(",")[:2] for row in rows[1]]
    assert scalars(tmp_path / "one") == scalars(tmp_path / "two")
    assert (tmp_path / "one" / "summary.json").read_text() == (tmp_path / "two" / "summary.json").read_text()


def test_an_older_checkpoint_is_the_beginning_of_a_branch(tmp_path):
    run, older = tmp_path / "run", tmp_path / "run" / "checkpoints" / "step_0000000280.safetensors"
    train(config(eval_every=0), run)
    before = {path: path.read_bytes() for path in run.iterdir() if path.is_file()}
    with pytest.raises(
        UsageError, match=r"step_0000000280.safetensors is older than step_0000000360.safetensors: give"
    ):
        Training(config(), run, older)
    with Training(config(), tmp_path / "branch", older) as branch:
        branch.run()
    assert before == {path: path.read_bytes() for path in before}
    last = [load_checkpoint(latest_checkpoint(folder))[0] for folder in (run, tmp_path / "branch")]
    assert all(torch.equal(last[0][name], last[1][name]) for name in last[0])


def test_the_last_checkpoints_and_the_best_are_kept_and_evaluations_are_those_of_stable_baselines(tmp_path):
    settings = config(agents=2, eval_every=60, keep_checkpoints=2)
    with Training(settings, tmp_path) as run:
        run.run()
        best, at = run.evaluations.best, load_checkpoint(tmp_path / "best" / "best.safetensors")[1]["step"]
    names = [path.name for path in sorted((tmp_path / "checkpoints").iterdir())]
    assert names == ["step_0000000320.safetensors", "step_0000000360.safetensors"]
    with np.load(tmp_path / "evaluations.npz") as saved:
        assert set(saved.files) == {"timesteps", "results", "ep_lengths"}
        assert saved["timesteps"].tolist() == [60, 120, 180, 240, 300, 360]
        assert saved["results"].shape == saved["ep_lengths"].shape == (6, 2 * 2)
        assert np.array_equal(saved["results"], saved["ep_lengths"])  # CartPole pays one per step
        means = saved["results"].mean(1)
    assert means.max() == best
    assert at == 60 * (1 + int(means.argmax()))
    points = scalars(tmp_path)["eval/episodic_return"]
    assert points == [(60 * (i + 1), pytest.approx(mean)) for i, mean in enumerate(means)]


def test_a_run_says_what_it_ran_on_and_what_came_of_it(tmp_path):
    train(config(eval_every=0), tmp_path)
    said = dict(line.split(": ", 1) for line in (tmp_path / "environment.txt").read_text().splitlines())
    assert said["torch"] == torch.__version__
    assert said["command"]
    card = (tmp_path / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: rstdp_agents\n")
    agent = json.loads((tmp_path / "summary.json").read_text())["agents"][0]
    assert (
        f"| 0 | {agent['episodes']} | {agent['final_mean']:.2f} (of {agent['episodes']}) | {agent['eval_greedy']['mean']:.2f} +-"
        in card
    )


def test_a_vector_implementation_with_a_seed_per_row_changes_no_bit_of_a_run(tmp_path):
    def of_a_run(how, agents=3, seed=0):
        changes = {"env": "rstdp/Reach-v0", "vectorization": how, "agents": agents, "seed": seed, "envs_per_agent": 2}
        bounds = {"agent.encoder.low": (-1.0,) * 4, "agent.encoder.high": (1.0,) * 4}
        return config(**changes, **bounds, backend="fused")

    for how in ("serial", "vector"):
        train(of_a_run(how), tmp_path / how)
    train(of_a_run("vector", agents=1, seed=1), tmp_path / "alone")
    with Training(of_a_run("vector"), tmp_path / "again", older(tmp_path / "vector")) as again:
        again.run()
    episodes = monitored(tmp_path / "serial")
    assert monitored(tmp_path / "vector") == episodes
    assert [row[:2] for row in monitored(tmp_path / "alone")] == [row[:2] for row in episodes if row[2] == "1"]
    assert 5 < len(monitored(tmp_path / "again")) < len(episodes)
    assert monitored(tmp_path / "again") == episodes[-len(monitored(tmp_path / "again")) :]
    weights, *others = (
        load_checkpoint(latest_checkpoint(tmp_path / name))[0] for name in ("serial", "vector", "again")
    )
    mine = {name: weights[name] for name in weights if not name.startswith(("envs.", "monitor."))}
    assert len(mine) > 5
    assert all(torch.equal(mine[name], other[name]) for name in mine for other in others)


def monitored(folder):
    # return, length and agent of every episode in monitor.csv
    rows = [row.split(",") for row in (folder / "monitor.csv").read_text().splitlines()[2:]]
    return [[*row[:2], *row[3:]] for row in rows]


def older(folder):
    # the first of the checkpoints that are kept
    return min((folder / "checkpoints").iterdir())


def test_envs_that_were_stepped_in_another_way_say_so_in_words():
    of_vectors = {"steps": 3, "done": [[False]], "envs": [{"random": {}, "attributes": {}}]}
    of_one = {"steps": 3, "envs": [{"seed": 0, "start": None, "actions": {}}]}
    for how, other in ("serial", of_vectors), ("vector", of_one):
        envs = TrainingEnvs(config(vectorization=how), "CartPole-v1", {}, Alone())
        assert envs._resume(other).startswith("they are stepped in another way now")
        envs.close()
