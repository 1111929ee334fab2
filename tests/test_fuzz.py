"""Damaged checkpoints and settings: one line, never a traceback, never a wrong load. FUZZ=10000 runs the long version."""

import atexit
import copy
import json
import os
import random
import shutil
from dataclasses import asdict
from functools import cache
from itertools import product
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import gymnasium as gym
import numpy as np
import pytest
import torch

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base.errors import CheckpointError
from rstdp_agents.base.settings import from_json, override
from rstdp_agents.codecs.action_layout import Actions
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.tools.cli import main
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint

hypothesis = pytest.importorskip("hypothesis")
given, settings, st = hypothesis.given, hypothesis.settings, pytest.importorskip("hypothesis.strategies")

MANY = int(os.environ.get("FUZZ", "150"))
FAST = MANY < 1000


def fuzz(share=1):
    """So many examples that anything goes wrong at; the short version takes the same ones every time."""
    checks = hypothesis.HealthCheck
    unwanted = [checks.function_scoped_fixture, checks.too_slow, checks.data_too_large, checks.large_base_example]
    return settings(
        max_examples=MANY // share, deadline=None, database=None, derandomize=FAST, suppress_health_check=unwanted
    )


@cache
def run_folder():
    """A short run with a good checkpoint."""
    folder = Path(mkdtemp(prefix="fuzz")) / "run"
    atexit.register(rmtree, folder.parent, ignore_errors=True)
    small = {"agent.encoder.cells": (2, 2, 2, 2), "total_steps": 30, "eval_episodes": 0, "images": 0, "progress": False}
    with Training(override(preset("CartPole-v1", "rstdp-et"), small), folder) as run:
        run.run()
    return folder


@cache
def good():
    return latest_checkpoint(run_folder()).read_bytes()


def edits(size):
    """Bytes changed, cut off, put in, swapped or doubled."""
    place, some = st.integers(0, size - 1), st.binary(min_size=1, max_size=40)
    return st.one_of(
        st.tuples(st.just("set"), place, some),
        st.tuples(st.just("cut"), place, st.just(b"")),
        st.tuples(st.just("insert"), place, some),
        st.tuples(st.just("zero"), place, st.just(bytes(512))),
        st.tuples(st.just("flip"), place, st.integers(0, 7).map(lambda bit: bytes([1 << bit]))),
        st.tuples(st.just("tail"), place, some),
    )


def edited(content, edit):
    kind, at, data = edit
    at %= len(content)
    if kind == "cut":
        return content[:at]
    if kind == "insert":
        return content[:at] + data + content[at:]
    if kind == "tail":
        return content + data
    if kind == "flip":
        data = bytes([content[at] ^ data[0]])
    return content[:at] + data + content[at + len(data) :]


def one_line(capsys, code):
    said = capsys.readouterr().err
    assert code in (1, 2), said
    assert said.count("\n") == 1, said
    assert said.startswith("error: "), said
    assert "Traceback" not in said


@pytest.mark.slow
@fuzz()
@given(data=st.data())
def test_damaged_checkpoints_are_refused_in_one_line(capsys, data):
    header = st.tuples(
        st.sampled_from(["set", "flip", "insert"]), st.integers(0, 4000), st.binary(min_size=1, max_size=1)
    )
    content = good()
    for edit in data.draw(st.lists(edits(len(content)) | header, min_size=1, max_size=3)):
        content = edited(content, edit) or b"\x00"
    path = run_folder() / "damaged.safetensors"
    path.write_bytes(content)
    expected, expected_data = load_checkpoint(latest_checkpoint(run_folder()))
    capsys.readouterr()
    try:
        tensors, loaded = load_checkpoint(path)
    except CheckpointError:
        one_line(capsys, main(["--resume", str(path)]))
        assert path.read_bytes() == content
    else:  # something that means nothing, or nothing, was changed
        assert loaded == expected_data
        assert tensors.keys() == expected.keys()
        assert all(torch.equal(tensors[name], expected[name]) for name in tensors)


@cache
def whole_run():
    """A folder with every file that a run leaves."""
    folder = Path(mkdtemp(prefix="fuzz")) / "run"
    atexit.register(rmtree, folder.parent, ignore_errors=True)
    few = ["--encoder.cells", "2", "2", "2", "2", "--images", "0", "--eval-episodes", "2", "--max-episode-steps", "9"]
    often = [
        "--total-steps",
        "60",
        "--checkpoint-every",
        "20",
        "--eval-every",
        "40",
        "--log-every",
        "20",
        "--no-progress",
    ]
    assert main([*few, *often, "--backend", "torch", "--run-dir", str(folder)]) == 0
    return folder


PARTS = [
    "config.json",
    "environment.txt",
    "monitor.csv",
    "events",
    "evaluations.npz",
    "summary.json",
    "README.md",
    ".lock",
]
PARTS += ["best/best.safetensors", "best", "checkpoints", "newest", "oldest"]


def part(folder, name):
    """A file or folder of a run."""
    special = {"events": "*.rstdp", "newest": "checkpoints/*60.safetensors", "oldest": "checkpoints/*20.safetensors"}
    return next(folder.glob(special.get(name, name)))


def harm(path, how, elsewhere):
    """Do to a file, a folder or a link what people, disks and other programs do."""
    content = path.read_bytes() if path.is_file() else b""
    if how in ("flip", "cut", "grow"):
        at = len(content) // 3
        damaged = {
            "flip": [content[:at], b"\xff\x00", content[at + 2 :]],
            "cut": [content[:at]],
            "grow": [content, b"\x07\n"],
        }
        if path.is_file():
            path.write_bytes(b"".join(damaged[how]))
        return
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if how == "folder":
        path.mkdir()
    if how == "foreign":
        path.write_bytes(b"something else\n" * 200)
    if how == "link":
        path.symlink_to(elsewhere)
    if how == "dangling":
        path.symlink_to(path.parent / "nowhere")


def rows(folder):
    """Episodes that monitor.csv holds, without their seconds."""
    return [line.split(",")[:2] for line in (folder / "monitor.csv").read_text().splitlines()[2:]]


def evaluated(folder):
    """Env step and returns of each evaluation, but for the one that closed the first part of the run."""
    with np.load(folder / "evaluations.npz") as saved:
        each = zip(saved["timesteps"].tolist(), saved["results"].tolist(), saved["ep_lengths"].tolist(), strict=True)
    return [one for one in each if one[0] != 60]


HARMS = list(product(PARTS, ["deleted", "flip", "cut", "grow", "folder", "foreign", "link", "dangling"]))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "how"), random.Random(4).sample(HARMS, 12) if FAST else HARMS)
def test_whatever_becomes_of_a_part_of_a_run_it_goes_on_or_says_why_not(tmp_path, capsys, name, how):
    folder, precious = tmp_path / "run", tmp_path / "precious"
    shutil.copytree(whole_run(), folder)
    precious.write_bytes(b"mine\n" * 1000)
    harm(part(folder, name), how, precious)
    lines = [["eval", "--episodes", "1"], ["inspect"], ["plot", "--out", str(tmp_path / "a.png")]]
    for line in [*lines, ["--total-steps", "100", "--no-progress", "--resume"]]:
        capsys.readouterr()
        code, said = main([*line, str(folder)]), capsys.readouterr().err
        assert "Traceback" not in said
        assert said.count("\n") <= 3, said
        if code:
            assert code in (1, 2)
            assert said.splitlines()[-1].startswith("error: ")
    assert precious.read_bytes() == b"mine\n" * 1000
    needed = {"config.json", "newest", "checkpoints", ".lock"}
    if code:  # where something cannot be done without, or another thing stands in its place
        assert name in needed or how in ("folder", "foreign", "link", "dangling"), said
        return
    header = (folder / "monitor.csv").read_text().splitlines()
    assert json.loads(header[0][1:])["env_id"] == "CartPole-v1"
    assert header[1] == "r,l,t,agent"
    undisturbed = rows(gone_on())
    assert rows(folder) == undisturbed[len(undisturbed) - len(rows(folder)) :]
    lost = name == "monitor.csv" and how != "grow"
    assert (json.loads(header[0][1:]).get("missing_before_step") == 60) == lost
    assert evaluated(folder) == evaluated(gone_on())
    if name != "oldest":
        steps = [load_checkpoint(one / "best" / "best.safetensors")[1]["step"] for one in (folder, gone_on())]
        assert steps[0] == steps[1]
    weights = [load_checkpoint(latest_checkpoint(one))[0]["output.weight"] for one in (folder, gone_on())]
    assert torch.equal(*weights)


@cache
def gone_on():
    """The run, gone on with, of which nothing was harmed."""
    folder = Path(mkdtemp(prefix="fuzz")) / "run"
    atexit.register(rmtree, folder.parent, ignore_errors=True)
    shutil.copytree(whole_run(), folder)
    assert main(["--total-steps", "100", "--no-progress", "--resume", str(folder)]) == 0
    return folder


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_subnormal=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value, at=()):
    """Paths to everything in nested dicts and lists."""
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*at, key))


def replaced(value, at, new):
    value = copy.deepcopy(value)
    inner = value
    for key in at[:-1]:
        inner = inner[key]
    if not at:
        return new
    inner[at[-1]] = new
    return value


@fuzz()
@given(data=st.data(), new=JSON)
def test_settings_that_make_no_sense_are_refused_in_one_line(capsys, monkeypatch, data, new):
    saved = json.loads((run_folder() / "config.json").read_text())
    changed = replaced(saved, data.draw(st.sampled_from(list(places(saved)))), new)
    begun, folder = [], run_folder().parent / "settings"
    monkeypatch.setattr("rstdp_agents.tools.commands.train.train", lambda config, *_: begun.append(config) or 0)
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(changed))
    capsys.readouterr()
    code = main(["--resume", str(folder)])
    if code:
        one_line(capsys, code)
    else:
        assert from_json(RunConfig, json.loads(json.dumps(asdict(begun[0])))) == begun[0]


@pytest.mark.slow
@fuzz(10)
@given(data=st.data(), new=JSON)
def test_checkpoints_that_were_made_up_are_refused_in_one_line(capsys, data, new):
    tensors, saved = load_checkpoint(latest_checkpoint(run_folder()))
    where = [at for at in places(saved) if at and at[0] not in ("config", "step")]
    changed = replaced(saved, data.draw(st.sampled_from(where)), new)
    path = run_folder().parent / "made_up" / "checkpoints" / "step_0000000030.safetensors"
    path.unlink(missing_ok=True)
    save_checkpoint(path, tensors, changed)  # with a checksum that fits
    capsys.readouterr()
    code = main(["--resume", str(path), "--no-progress"])
    if code:
        one_line(capsys, code)


def boxes():
    bounds = st.tuples(st.floats(-9, 9, width=16, allow_subnormal=False), st.floats(0.5, 9, width=16)) | st.just(
        (0.0, np.inf)
    )
    shapes = st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple)
    return st.builds(lambda b, shape: gym.spaces.Box(b[0], b[0] + b[1], shape), bounds, shapes)


def discretes():
    numbers = st.integers(1, 4)
    return (
        st.builds(lambda n, start: gym.spaces.Discrete(n, start=start), numbers, st.integers(-3, 3))
        | st.lists(numbers, min_size=1, max_size=3).map(gym.spaces.MultiDiscrete)
        | numbers.map(gym.spaces.MultiBinary)
        | numbers.map(gym.spaces.Text)
    )


SPACES = st.recursive(
    boxes() | discretes(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map(gym.spaces.Tuple)
        | st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3).map(gym.spaces.Dict)
        | inner.map(gym.spaces.Sequence)
    ),
    max_leaves=4,
)


@pytest.mark.slow
@fuzz(5)
@given(space=SPACES, actions=boxes() | discretes(), seed=st.integers(0, 99))
def test_an_agent_of_any_spaces_acts_within_them_or_says_why_not(space, actions, seed):
    space.seed(seed)
    try:
        agent = Agent(AgentConfig(), space, actions, seeds=(seed,), backend="torch")
    except ValueError as error:
        assert str(error)  # noqa: PT017 (either is right)
        return
    rows, one = Rows(space), space.sample()
    obs = np.asarray(one) if rows.is_array else rows.array([one])[0]
    for _ in range(2):
        assert actions.contains(Actions(actions).each(agent.begin(obs[None, None]))[0])
