"""A run that somebody sent runs no code of theirs, unless somebody says so."""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import gymnasium as gym
import pytest

import rstdp_agents as ra
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import from_json
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from rstdp_agents.training.runs.trust import Trust, foreign

EVIL = """
import pathlib
pathlib.Path({mark!r}).touch()
import gymnasium as gym
class Env(gym.Env):
    observation_space, action_space = gym.spaces.Discrete(2), gym.spaces.Discrete(2)
    def reset(self, **_): return 0, {{}}
    def step(self, action): return 0, 1.0, True, False, {{}}
def make(): return Env()
gym.register("Evil-v0", Env)
"""
PLACES = {
    "a function of the library": {"env": "subprocess:getoutput", "env_kwargs": ["cmd:touch {mark}"]},
    "a class of the library": {"env": "subprocess:Popen", "env_kwargs": ["args:['touch', '{mark}']"]},
    "a built-in": {"env": "posix:system", "env_kwargs": ["command:touch {mark}"]},
    "a module of the sender's": {"env": "evil_module:Env"},
    "an id of the sender's": {"env": "evil_module:Evil-v0"},
    "a wrapper": {"wrapper": ["evil_module:Env"]},
    "Gymnasium's wrappers and others": {"wrapper": ["gymnasium.wrappers:ClipReward", "evil_module:Env"]},
    "a rule": {"agent": {"rule": "evil_module:Env"}},
    "a modulator": {"agent": {"modulator": "evil_module:Env"}},
    "an encoder": {"agent": {"encoder": {"code": "evil_module:Env"}}},
    "a decoder": {"agent": {"decoder": {"code": "evil_module:Env"}}},
    "a neuron": {"agent": {"neuron": {"model": "evil_module:Env"}}},
    "this package": {"env": "rstdp_agents.tools.cli:main", "env_kwargs": ["argv:['--run-dir', '{mark}']"]},
}
LOADING = (["eval"], ["video", "--out", "film.mp4"], ["export", "--out", "x.pt2"], ["--resume"])
LOOKING = (["inspect"], ["plot"], ["report"])


@pytest.fixture
def sent(run, tmp_path, monkeypatch):
    """Makes the run of a sender: settings changed in both files, checksums right, a module of theirs beside it."""
    mark = tmp_path / "mark"
    (tmp_path / "evil_module.py").write_text(EVIL.format(mark=str(mark)))
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules), list(sys.path), dict(gym.registry)

    def send(change):
        filled = json.loads(json.dumps(change).replace("{mark}", str(mark)))
        folder = tmp_path / "sent"
        for file in run.rglob("*.*"):
            (folder / file.relative_to(run)).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.relative_to(run)).write_bytes(file.read_bytes())
        path = latest_checkpoint(folder)
        tensors, data = load_checkpoint(path)
        settings = merged(data["config"], filled)
        save_checkpoint(path, tensors, {**data, "config": settings})
        (folder / "config.json").write_text(json.dumps(settings))
        return folder, mark

    yield send
    for name in set(sys.modules) - before[0]:
        if name.startswith("evil"):
            del sys.modules[name]
    sys.path[:] = before[1]
    gym.registry.clear()
    gym.registry.update(before[2])


def merged(settings, change):
    return {**settings, **{k: merged(settings[k], v) if isinstance(v, dict) else v for k, v in change.items()}}


def line(command, folder):
    return [*command, str(folder)] if command[0] != "export" else ["export", str(folder), *command[1:]]


@pytest.mark.parametrize("place", PLACES)
def test_code_that_a_file_names_is_neither_imported_nor_called(place, sent, command):
    folder, mark = sent(PLACES[place])
    for words in LOADING:
        code, _, err = command(*line(words, folder))
        assert (code, err.count("\n")) == (2, 1), (words, err)
        assert "names code from outside this package: --" in err
        assert "--trust" in err
        assert str(folder) in err
    for words in LOOKING:
        code, out, err = command(*line(words, folder))
        assert (code, err) == (0, ""), (words, err)
        assert out
    with pytest.raises(UsageError, match="names code from outside this package"):
        ra.load(folder)
    assert not mark.exists()
    assert "evil_module" not in sys.modules


def test_the_message_names_the_file_every_name_and_what_trust_means(sent):
    folder, _ = sent({"env": "evil_module:Env", "agent": {"rule": "a.b:C\nD"}})
    with pytest.raises(UsageError) as error:
        ra.load(folder)
    assert str(error.value) == (
        f"{latest_checkpoint(folder)} names code from outside this package: --env 'evil_module:Env', --rule 'a.b:C\\nD'. "
        "It is imported only with `--trust`, which means that you trust whoever made this run as you would the author of a "
        "program, or if the same name is on the command line; from Python with `trust=True`, or if the part itself is "
        "handed in"
    )


@pytest.mark.parametrize("words", LOOKING)
@pytest.mark.parametrize("place", ["a module of the sender's", "an id of the sender's", "a rule", "a wrapper"])
def test_looking_at_a_run_takes_no_word_of_trust(words, place, sent, command):
    folder, mark = sent(PLACES[place])
    assert "--trust" not in command(words[0], "--help")[1]
    assert command(*line(words, folder))[0] == 0
    assert not mark.exists()


def trained(tmp_path, command, env):
    words = ["--env", env, "--total-steps", "40", "--eval-episodes", "1", "--images", "0", "--no-progress"]
    assert command(*words, "--backend", "torch", "--run-dir", tmp_path / "own")[0] == 0
    return tmp_path / "own"


@pytest.mark.parametrize("env", ["evil_module:Env", "evil_module:make", "evil_module:Evil-v0"])
def test_with_trust_or_the_name_on_the_line_it_is_imported(env, sent, tmp_path, command):
    sent({})
    folder = trained(tmp_path, command, env)
    assert command("--resume", folder, "--total-steps", "60")[0] == 2
    assert command("--resume", folder, "--total-steps", "60", "--env", env)[0] == 0
    assert command("--resume", folder, "--total-steps", "80", f"--env={env}")[0] == 0
    assert command("--resume", folder, "--total-steps", "100", "--trust")[0] == 0
    assert command("eval", folder, "--episodes", "1")[0] == 2
    code, out, _ = command("eval", folder, "--episodes", "1", "--trust")
    assert code == 0
    assert "greedy: mean 1.0" in out
    assert ra.load(folder, trust=True).agent.agents == 1


def test_a_file_cannot_say_that_it_is_to_be_trusted(sent, command):
    folder, mark = sent({"env": "evil_module:Env", "trust": True})
    for words in LOADING:
        assert command(*line(words, folder))[0] in (1, 2)
    assert not mark.exists()


@pytest.mark.parametrize("env", ["subprocess:Popen", "posix:system", "builtins:print", "pathlib:Path", "json:dumps"])
def test_what_makes_no_environment_is_not_called_even_if_somebody_types_it(env, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = command("--env", env, "--run-dir", "run")
    assert (code, err.count("\n")) == (2, 1)
    if env != "json:dumps":  # a function, of which nobody knows what it makes
        assert f"error: `--env {env}` must be a gymnasium.Env, or a function that makes one; received <" in err


@pytest.mark.skipif(find_spec("Box2D") is not None, reason="Box2D is installed, and found first")
def test_modules_of_the_current_folder_are_found_only_by_name(tmp_path, monkeypatch, command):
    (tmp_path / "Box2D.py").write_text("import pathlib; pathlib.Path('mark').touch(); raise ImportError('no')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place not in ("", os.getcwd())])
    command("--env", "LunarLander-v3", "--total-steps", "5", "--eval-episodes", "0", "--run-dir", tmp_path / "run")
    assert not (tmp_path / "mark").exists()


def test_what_is_foreign():
    names = {
        "CartPole-v1": False, "rstdp/Catch-v0": False, "nowhere/Id-v0": False, "gymnasium.envs.toy_text:TaxiEnv": True,
        "rstdp_agents.tools.cli:main": True, ":": True, "a:": True,
    }  # fmt: skip
    assert {name: bool(foreign(RunConfig(env=name))) for name in names} == names
    arguments = ("k:v",)
    assert not foreign(RunConfig(env="CartPole-v1", env_kwargs=arguments))
    assert not foreign(RunConfig(env="rstdp/Catch-v0", env_kwargs=arguments))
    for other in (arguments, ("k:1", "m:['v']"), ("k:{1: 2}",), ("k:b'v'",), ("k",)):
        assert foreign(RunConfig(env="Corridor-v0", env_kwargs=other))  # of tests.helpers: another package
    assert not foreign(RunConfig(env="Corridor-v0", env_kwargs=("k:1", "m:-2.5", "n:False")))
    assert not foreign(RunConfig(wrapper=("gymnasium.wrappers:NormalizeReward",)))
    assert foreign(RunConfig(wrapper=("gymnasium.wrappers:vector",)))
    assert foreign(RunConfig(wrapper=("gymnasium.wrappers:numpy.os.system",)))
    own = from_json(RunConfig, {"agent": {"encoder": {"code": "tiles"}, "rule": "rstdp"}})
    assert not foreign(own)


def test_words_of_the_line_are_compared_whole():
    trust = Trust.of_line(False, ["--env=a:B", "--rule", "c:D"])
    path = Path("config.json")
    trust.check(from_json(RunConfig, {"env": "a:B", "agent": {"rule": "c:D"}}), path)
    for other in ("a:Bad", "xa:B", "a:b"):
        with pytest.raises(UsageError):
            trust.check(RunConfig(env=other), path)
