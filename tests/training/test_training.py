import json
import signal

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar.layout_pb2 import Layout
from torch.utils.tensorboard.summary import custom_scalars

from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.base.settings import from_json, override
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.evaluation import evaluate
from rstdp_agents.training.loop import Training
from rstdp_agents.training.monitoring.dashboard import charts, layout
from rstdp_agents.training.presets import preset
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint
from tests import helpers

TAGS = {
    "charts/episodic_return", "charts/episodic_length", "charts/sps", "learn/modulator_mean", "learn/modulator_rms",
    "learn/eligibility_rms", "learn/dw_rms", "learn/w_rms", "learn/critic_w_max", "learn/w_mean", "learn/w_saturated_frac",
    "activity/rate_hz/input",
    "activity/rate_hz/output", "activity/rate_of_target/output", "activity/silent_frac/input", "activity/silent_frac/output",
}  # fmt: skip


def config(env="CartPole-v1", **changes) -> RunConfig:
    base = {"total_steps": 600, "log_every": 200, "images": 1, "eval_episodes": 3, "progress": False}
    if env == "CartPole-v1":
        return override(RunConfig(), helpers.OF_A_RUN | base | changes)
    return override(preset(env, "rstdp-et"), base | changes)


def test_long_runs_have_as_many_points_as_short_ones():
    assert [config(log_every=0, total_steps=n).points_every for n in (600, 500_000, 1_000_000)] == [2_000, 2_000, 4_000]
    assert config(log_every=200, total_steps=1_000_000).points_every == 200


def parsed(page):
    """What TensorBoard reads of a layout."""
    return Layout.FromString(custom_scalars(page).value[0].tensor.string_val[0])


@pytest.mark.parametrize(("agents", "envs"), [(1, 1), (3, 2)])
def test_a_run_leaves_everything_that_is_promised(tmp_path, agents, envs):
    with Training(config(agents=agents, envs_per_agent=envs, checkpoint_every=300), tmp_path) as run:
        assert run.run()
        summary = run.finish()
    assert json.loads((tmp_path / "summary.json").read_text()) == summary
    assert [a["seed"] for a in summary["agents"]] == list(range(agents))
    assert {a["steps"] for a in summary["agents"]} == {600}
    assert all(a["eval_greedy"]["episodes"] == a["eval_stochastic"]["episodes"] == 3 for a in summary["agents"])
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == [
        "step_0000000300.safetensors", "step_0000000600.safetensors",
    ]  # fmt: skip
    first, header, *rows = (tmp_path / "monitor.csv").read_text().splitlines()
    assert json.loads(first[1:])["env_id"] == "CartPole-v1"
    assert header == "r,l,t,agent"
    assert len(rows) == sum(a["episodes"] for a in summary["agents"])
    assert all(float(r.split(",")[0]) == int(r.split(",")[1]) for r in rows)  # CartPole pays one per step
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert set(events.Tags()["scalars"]) >= TAGS
    assert set(events.Tags()["images"]) == {"activity/raster", "learn/value_and_policy", "learn/receptive_fields"}
    assert events.Tags()["histograms"] == ["weights/output"]
    assert events.Tags()["tensors"] == ["config/text_summary", "custom_scalars__config__"]
    page = Layout.FromString(events.Tensors("custom_scalars__config__")[0].tensor_proto.string_val[0])
    assert page == parsed(
        layout(charts(["output"], critic=True, held=True))
    )  # whatever the number of agents: TensorBoard joins what is equal
    drawn = [series for category in page.category for chart in category.chart for series in chart.margin.series]
    bands = {tag for series in drawn for tag in (series.lower, series.upper)}
    assert len(bands) == 2 * len(drawn)
    assert {tag for tag in events.Tags()["scalars"] if tag.startswith("spread/")} == bands
    for series in drawn:
        value, low, high = (
            [(e.step, e.value) for e in events.Scalars(tag)] for tag in (series.value, series.lower, series.upper)
        )
        assert [step for step, _ in value] == [step for step, _ in low] == [step for step, _ in high]
        assert agents > 1 or value == low == high
    assert events.Scalars("learn/w_mean")[-1].value == pytest.approx(run.agent.layer.weight.mean().item())
    from_json(RunConfig, json.loads((tmp_path / "config.json").read_text()))


def test_tensorboard_gets_the_mean_of_an_interval_and_monitor_csv_every_episode(tmp_path):
    with Training(config(total_steps=1000, images=0, **{"agent.plasticity.lr": 0.0}), tmp_path) as run:
        run.run()
    lengths = np.array([int(row.split(",")[1]) for row in (tmp_path / "monitor.csv").read_text().splitlines()[2:]])
    intervals = np.ceil(lengths.cumsum() / 200) * 200
    assert len(lengths) == run.tracker.records[0].episodes > 2 * 5
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    for tag in ("charts/episodic_return", "charts/episodic_length"):
        points = [(event.step, event.value) for event in events.Scalars(tag)]
        assert points == [(step, pytest.approx(lengths[intervals == step].mean())) for step in sorted(set(intervals))]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(("how", "envs"), [("auto", 16), ("vector", 2), ("async", 2)])
def test_every_way_of_stepping_counts_the_steps_that_were_taken(tmp_path, how, envs):
    with Training(config(vectorization=how, envs_per_agent=envs, agents=2, backend="torch"), tmp_path) as run:
        assert run.run()
        episodes = sum(a["episodes"] for a in run.finish()["agents"])
    rows = [row.split(",") for row in (tmp_path / "monitor.csv").read_text().splitlines()[2:]]
    assert len(rows) == episodes > 5
    assert all(float(reward) == int(length) >= 8 for reward, length, *_ in rows)  # CartPole pays one per step


def test_rates_in_tensorboard_are_spikes_per_second(tmp_path):
    silent = config(
        **{
            "agent.plasticity.lr": 0.0,
            "agent.encoder.cells": (3, 3, 6, 5),
            "agent.encoder.width": 0.7,
            "agent.neuron.escape_noise": 0.0,
            "agent.plasticity.w_init": 0.0,
        }
    )
    with Training(override(silent, {"agent.homeostasis.param": "none"}), tmp_path) as run:
        run.run()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Scalars("activity/rate_hz/output")[-1].value == 0
    assert events.Scalars("activity/silent_frac/output")[-1].value == 1
    p = run.agent.encoder.rates(torch.zeros(1, 1, 4)).mean().item() * 500  # near the origin: the mean over cells, in Hz
    assert events.Scalars("activity/rate_hz/input")[0].value == pytest.approx(p, rel=0.5)


def test_resume_continues_weights_counters_and_random_numbers(tmp_path):
    with Training(config(total_steps=300), tmp_path) as first:
        first.run()
    saved = {name: tensor.clone() for name, tensor in first.agent.tensors().items()}
    with Training(config(total_steps=600), tmp_path, latest_checkpoint(tmp_path)) as again:
        assert again.step == 300
        assert again.tracker.records[0].to_json() == first.tracker.records[0].to_json()
        assert torch.equal(again.agent.random.state(), first.agent.random.state())
        for name in ("output.weight", "output.rate", "output.offset", "critic.weight"):
            assert torch.equal(again.agent.tensors()[name], saved[name])
        episodes = first.tracker.records[0].episodes
        assert again.run()
        assert again.step == 600
    rows = (tmp_path / "monitor.csv").read_text().splitlines()[2:]
    assert len(rows) == again.tracker.records[0].episodes > episodes


def test_checkpoint_of_another_shape_is_refused(tmp_path):
    with Training(config(total_steps=100), tmp_path) as run:
        run.run()
    with pytest.raises(
        UsageError, match=r"was trained with --decoder.neurons-per-action 8 \(received 4\); that cannot be"
    ):
        Training(config(**{"agent.decoder.neurons_per_action": 4}), tmp_path / "x", latest_checkpoint(tmp_path))
    assert not (tmp_path / "x").exists()


def test_broken_reward_stops_the_run_after_a_good_checkpoint(tmp_path):
    broken = config("Corridor-v0", env_kwargs=("broken:('reward', 150, 1e999)",))
    fault = pytest.raises(EnvironmentFault, match="reward is not finite at env step 150 in env 0 of agent 0")
    with Training(broken, tmp_path) as run, fault:
        run.run()
    tensors, data = load_checkpoint(tmp_path / "checkpoints" / "step_0000000149.safetensors")
    assert data["step"] == 149
    assert all(torch.isfinite(t.float()).all() for t in tensors.values())


def test_ctrl_c_finishes_the_step_and_saves(tmp_path, monkeypatch):
    with Training(config(), tmp_path) as run:
        record = run.monitor.record

        def interrupt(step, *noted):
            record(step, *noted)
            if step == 50:
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(run.monitor, "record", interrupt)
        assert not run.run()
        assert run.step == 50
    assert load_checkpoint(tmp_path / "checkpoints" / "step_0000000050.safetensors")[1]["step"] == 50


def test_evaluation_counts_each_env_alike_and_repeats_to_the_bit(tmp_path):
    with Training(config(agents=2), tmp_path) as run:
        run.run()
    returns = [evaluate(run.agent, "CartPole-v1", {}, (0, 1), 13, greedy) for greedy in (True, False, True)]
    assert returns[0].shape == (2, 13)
    assert np.array_equal(returns[0], returns[2])
    assert not np.array_equal(returns[0], returns[1])


def test_corridor_is_learnt_from_a_reward_at_its_end_only(tmp_path):
    with Training(config("Corridor-v0", total_steps=2500, agents=4, **{"agent.plasticity.lr": 3.0}), tmp_path) as run:
        run.run()
    assert all(record.final_mean > 0.93 for record in run.tracker.records)


def test_a_run_that_was_stopped_before_its_first_step_begins_on_resume(tmp_path):
    settings = config("Corridor-v0", total_steps=60, backend="torch")
    with Training(settings, tmp_path / "stopped") as run:
        run.until = 0
        assert run.run()
        assert run.step == 0
    with Training(settings, tmp_path / "stopped", latest_checkpoint(tmp_path / "stopped")) as again:
        assert not again.envs.running
        assert again.run()
    with Training(settings, tmp_path / "whole") as whole:
        whole.run()
    assert torch.equal(again.agent.layer.weight, whole.agent.layer.weight)
