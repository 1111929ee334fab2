import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rstdp_agents.base import screen
from rstdp_agents.tools.commands import eval as evaluation
from rstdp_agents.tools.commands import plot, sweep, train
from rstdp_agents.tools.commands.arguments import at_home, called, parse

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("original", "argv", "again"),
    [
        ("python train.py --agents 2", "train.py --agents 2", "python train.py"),
        (".venv/bin/python train.py", "train.py", ".venv/bin/python train.py"),
        ("python -X dev clone/train.py eval x", "clone/train.py eval x", "python -X dev clone/train.py"),
        ("/v/bin/python /v/bin/rstdp-train --agents 2", "/v/bin/rstdp-train --agents 2", "rstdp-train"),
        ("python -m package eval x", "/lib/package/__main__.py eval x", "python -m package"),
        ("python -c main() eval x", "-c eval x", "rstdp-train"),
        ("python -m pytest -q", "train.py", "python train.py"),
        ("ipython", "rstdp-train.exe", "rstdp-train"),
    ],
)
def test_a_hint_names_the_command_that_was_called(original, argv, again):
    assert called(original.split(), argv.split()) == again


def test_a_script_in_a_folder_with_a_space_is_quoted():
    assert called(["python", "my clone/train.py"], ["my clone/train.py"]) == "python 'my clone/train.py'"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["train.py"])
    return tmp_path


def test_a_tilde_in_a_path_is_the_home_wherever_a_path_is_given(home):
    config, *_ = train.parse(["--run-dir=~/x", "--storage", "~/parts", "--env-kwargs", "map:~/m"])
    assert (config.run_dir, config.storage) == (f"{home}/x", f"{home}/parts")
    assert config.env_kwargs == ("map:~/m",)  # the environment's own affair
    assert train.parse(["--storage", "s3://bucket/~"])[0].storage == "s3://bucket/~"
    args = parse(plot.Args, "plot", ["~/a", "b", "--out", "~/c.png"], None)
    assert (args.runs, args.out) == ((home / "a", Path("b")), home / "c.png")
    assert parse(evaluation.Args, "eval", ["~/a"], None).run == home / "a"
    args, rest = sweep.read(["--storage", "sqlite:///~/s.db", "--storage-path", "~/ray", "--run-dir=~/x"])
    assert (args.storage, args.storage_path) == (f"sqlite:///{home}/s.db", f"{home}/ray")
    assert train.parse(rest)[0].run_dir == f"{home}/x"
    assert sweep.read(["--storage", "postgresql://host/~x"])[0].storage == "postgresql://host/~x"
    assert at_home(plot.Args((Path("~nobody-here/x"),))).runs == (Path("~nobody-here/x"),)  # as a shell leaves it


def test_a_run_in_the_home_is_made_there_and_gone_on_with(home, command, monkeypatch, tmp_path):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    short = ["--eval-episodes", 0, "--images", 0, "--no-progress", "--backend", "torch"]
    assert command("--run-dir=~/x", "--total-steps", 20, *short)[0] == 0
    assert command("--resume=~/x", "--total-steps", 40, *short)[0] == 0
    assert json.loads((home / "x" / "summary.json").read_text())["agents"][0]["steps"] == 40
    assert list((tmp_path / "here").iterdir()) == []


def test_sdl_gets_no_window_and_no_sound_where_there_are_none_but_what_the_user_says(monkeypatch):
    for name in ("SDL_VIDEODRIVER", "SDL_AUDIODRIVER", "WAYLAND_DISPLAY"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    screen.prepare()
    assert (os.environ["SDL_AUDIODRIVER"], os.environ.get("SDL_VIDEODRIVER")) == ("dummy", None)
    monkeypatch.delenv("DISPLAY")
    screen.prepare()
    assert os.environ["SDL_VIDEODRIVER"] == "dummy"
    monkeypatch.setenv("SDL_VIDEODRIVER", "kmsdrm")
    monkeypatch.setenv("SDL_AUDIODRIVER", "pulse")
    screen.prepare()
    screen.draw_unseen()
    assert (os.environ["SDL_AUDIODRIVER"], os.environ["SDL_VIDEODRIVER"]) == ("pulse", "kmsdrm")


@pytest.mark.skipif(sys.platform != "linux", reason="SDL complains of Linux' own displays")
def test_sdl_has_nothing_to_say_of_a_machine_without_screen_and_sound():
    pytest.importorskip("pygame")
    play = "import gymnasium as g; e = g.make('CartPole-v1', render_mode='human'); e.reset(); e.render(); e.close()"
    code = f"from rstdp_agents.tools import cli; cli.main(['--help']); {play}; import pygame; pygame.init()"
    names = ("SDL_VIDEODRIVER", "SDL_AUDIODRIVER", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR")
    env = {name: value for name, value in os.environ.items() if name not in names} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], env=env, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_process_ends_without_a_last_look_at_all_its_objects():
    code = "import atexit, gc; atexit.register(lambda: print('frozen', gc.get_freeze_count() > 1000))"
    code += "; from rstdp_agents.tools.cli import main; main(['--help'])"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.endswith("frozen True\n")
