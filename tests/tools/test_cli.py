"""The command as a user runs it."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rstdp_agents.base.installation import version
from rstdp_agents.tools import cli
from rstdp_agents.training.presets import preset

ROOT = Path(__file__).parents[2]
SHORT = ["--total-steps", "400", "--eval-episodes", "2", "--images", "1", "--no-progress"]


def process(*arguments, cwd):
    """The command in a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    line = [sys.executable, str(ROOT / "train.py"), *map(str, arguments)]
    return subprocess.run(line, cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False)


def command(*arguments, cwd):
    """The same in this process, which has imported everything."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.main([*map(str, arguments)])
        except SystemExit as ends:
            code = ends.code
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def test_train_then_resume(tmp_path):
    done = command("--agents", 2, "--rule", "reward-switch", "--run-dir", "run", *SHORT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the one setting of reward-switch" in done.stdout
    assert done.stdout.count("seed ") == 2
    assert "95 % interval over 2 agents" in done.stdout
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert (summary["env"], summary["rule"], len(summary["agents"])) == ("CartPole-v1", "reward-switch", 2)
    (tmp_path / "run").rename(tmp_path / "moved")
    again = command("--resume", "moved", "--total-steps", 700, cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert not (tmp_path / "run").exists()
    summary = json.loads((tmp_path / "moved" / "summary.json").read_text())
    assert [a["steps"] for a in summary["agents"]] == [700, 700]
    assert summary["rule"] == "reward-switch"  # settings come from the run


def test_unknown_environment_trains_on_the_defaults(tmp_path):
    done = command(
        "--env",
        "Taxi-v4",
        "--rule",
        "rstdp",
        "--env-kwargs",
        "is_rainy:False",
        "--run-dir",
        "run",
        *SHORT,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "(the one setting of rstdp)" in done.stdout


@pytest.mark.slow
def test_environment_of_a_module_of_the_user(tmp_path):
    done = process("--env", "tests.helpers:Corridor-v0", "--run-dir", "run", *SHORT, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["env"] == "tests.helpers:Corridor-v0"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--env", "CartPol-v1"], "unknown environment 'CartPol-v1'; the nearest are"),
        (["--rule", "rstpd"], "rstdp"),
        (
            ["--env", "Pendulum-v1", "--decoder.neurons-per-action", "1"],
            "`neurons_per_action` must be 2 or more for continuous actions; received 1",
        ),
        (["--env", "Blackjack-v1", "--encoder.code", "tiles"], "tiles only cover observations of Boxes"),
        (["--neuron.tau-m", "-5"], "`tau_m` must be positive (ms); received -5.0"),
        (["--plasticity.w-min", "2"], "`w_min` must be below `w_max`; received 2.0 and 1.0"),
        (["--simulation.dt", "0"], "`dt` must be positive (ms); received 0.0"),
        (["--agents", "0"], "`agents` must be positive; received 0"),
        (["--device", "cuda:99"], "--device cuda:99"),
        (["--device", "toaster"], "`--device toaster`"),
        (["--env-kwargs", "gravity=3"], "takes key:value pairs; received 'gravity=3'"),
        (["--total-steps", "many"], "many"),
        (
            ["--env", "FrozenLake-v1", "--vectorization", "vector"],
            "'FrozenLake-v1' has no vector implementation of its own",
        ),
    ],
)
def test_wrong_usage_is_one_message_and_exit_code_2(tmp_path, arguments, words, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py"])
    monkeypatch.chdir(tmp_path)
    try:
        code = cli.main([*arguments, "--run-dir", "run", "--no-progress"])
    except SystemExit as ends:
        code = ends.code
    said = capsys.readouterr()
    assert code == 2
    assert words in " ".join((said.err + said.out).split())
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_wrong_usage_ends_the_command_without_a_traceback(tmp_path):
    done = process("--agents", "0", "--run-dir", "run", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "`agents` must be positive; received 0" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_commands_and_shows_one_group_at_a_time(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py"])
    assert cli.main(["--help"]) == 0
    front = capsys.readouterr().out
    assert all(f"\n  {name} " in front for name in cli.COMMANDS)
    assert front.count("\n") < 40
    groups = front.split("--help GROUP")[1].replace(" or ", " ").replace(",", " ").split()
    monkeypatch.setenv("COLUMNS", "120")
    shown = {}
    for group in groups:
        assert cli.main(["--help", group]) == 0
        shown[group] = capsys.readouterr().out
    assert {group for group, text in shown.items() if text.count("\n") > 45} == {"all"}
    own = {group: set(re.findall(r"(?m)^│ .*?(--[\w.-]+)", text)) for group, text in shown.items()}
    assert own.pop("all") == set().union(*own.values())
    assert sum(map(len, own.values())) == len(set().union(*own.values())) > 60
    assert {"--env", "--rule", "--resume"} <= own["run"]
    assert {"--backend", "--env-errors"} <= own["machine"]
    assert {"--eval-every", "--log-every"} <= own["records"]
    assert cli.main(["--help", "nothing"]) == 2
    assert capsys.readouterr().err.split("groups are ")[1].strip().split(", ") == groups
    assert cli.main(["train", "--env", "FrozenLake-v1", "--help", "plasticity"]) == 0
    shown = capsys.readouterr().out
    assert "--plasticity.tau-e" in shown
    assert f"{preset('FrozenLake-v1', 'rstdp-et').agent.plasticity.lr:g}" in shown
    assert "--encoder" not in shown


def test_what_is_mistyped_is_told_what_was_meant(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train.py"])
    assert cli.main(["tarin"]) == 2
    assert capsys.readouterr().err.startswith("error: unknown command 'tarin' (did you mean train?); commands are ")
    with pytest.raises(SystemExit) as exited:
        cli.main(["--plasticity.tau-ee", "3"])
    assert exited.value.code == 2
    captured = capsys.readouterr()
    assert "--plasticity.tau-e FLOAT" in captured.out + captured.err


def test_a_folder_with_another_run_is_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_text("{}")
    done = command("--run-dir", "run", *SHORT, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "run already holds a run" in done.stderr
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["config.json"]


def test_folder_that_cannot_be_written_and_damaged_checkpoint(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    done = command("--run-dir", "file/run", *SHORT, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "file" in done.stderr
    (tmp_path / "bad.safetensors").write_bytes(b"\x00" * 100)
    done = command("--resume", "bad.safetensors", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "bad.safetensors is damaged or not a checkpoint" in done.stderr
    done = command("--resume", "nowhere", cwd=tmp_path)
    assert "no checkpoint to resume from" in done.stderr


def fresh(code, first):
    """A process of its own in which the folder ``first`` comes before all others."""
    env = {**os.environ, "PYTHONPATH": f"{first}{os.pathsep}{ROOT}"}
    return subprocess.run([sys.executable, "-c", code], cwd=first, env=env, capture_output=True, text=True, check=False)


OF_THE_USER = """
from rstdp_envs.cue import Cue
class Mine(Cue):
    pass
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "text", "env", "ours"),
    [
        ("envs.py", "raise RuntimeError('not to be imported')\n", "rstdp/Cue-v0", True),
        ("envs/__init__.py", "raise RuntimeError('not to be imported')\n", "rstdp/Cue-v0", True),
        ("envs/__init__.py", OF_THE_USER, "envs:Mine", False),
        ("envs/mine.py", OF_THE_USER, "envs.mine:Mine", False),  # a folder without __init__.py
    ],
)
def test_what_a_user_calls_envs_is_the_users(tmp_path, file, text, env, ours):
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    code = (
        "import sys; from rstdp_agents.environments import make_env; "
        f"env = make_env({env!r}, {{'cues': 3}}); print(env.action_space, type(env.unwrapped).__module__); "
        "print(*sorted(name for name in sys.modules if name.startswith('envs')))"
    )
    done = fresh(code, tmp_path)
    assert done.stderr == ""
    kind, loaded = done.stdout.splitlines()
    assert kind == f"Discrete(3) {'rstdp_envs.cue' if ours else env.partition(':')[0]}"
    assert loaded.split() == ([] if ours else ["envs", "envs.mine"][: 1 + (file == "envs/mine.py")])


@pytest.mark.slow
def test_a_clone_takes_its_own_environments_and_not_those_that_are_installed(tmp_path):
    (tmp_path / "rstdp_envs.py").write_text("raise RuntimeError('not to be imported')\n")
    code = "import rstdp_agents.environments, rstdp_envs; print(rstdp_envs.__file__)"
    done = fresh(code, tmp_path)
    assert (done.stdout, done.stderr) == (f"{ROOT / 'envs' / 'rstdp_envs' / '__init__.py'}\n", "")


def shell(line, cwd, *, module="-m rstdp_agents"):
    """A line of a shell in which the command stands for ``$T``; after it whatever the shell redirects."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "T": f"{sys.executable} {module}"}
    return subprocess.run(
        ["bash", "-c", line], cwd=cwd, env=env, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirected", "seen"),
    [
        (">&- 2>&-", ""),
        ("2>&-", "seed 0"),
        ("> >(exec head -c 1 >&2) 2> >(true)", ""),  # both readers leave at once
    ],
)
def test_training_needs_nobody_who_reads_what_it_says(tmp_path, redirected, seen):
    options = "--backend torch --total-steps 60 --eval-episodes 0 --images 0 --run-dir run"
    done = shell(f"exec $T {options} {redirected}", tmp_path)
    assert done.returncode == 0
    assert seen in done.stdout
    assert bool(seen) == bool(done.stdout)
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["agents"][0]["steps"] == 60


@pytest.mark.parametrize("unbuffered", ["", "-u"])
@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "2>&-", ">&-", "<&-"])
def test_no_file_of_a_run_gets_the_number_of_a_stream_that_is_missing(tmp_path, closed, unbuffered):
    code = "from rstdp_agents.base.streams import secure; secure(); import sys; file = open('out', 'w'); print('to whom?'); "
    code += "print('?', file=sys.stderr); file.write(f'{file.fileno() > 2} {sys.stdin.read()!r}')"
    (tmp_path / "code.py").write_text(code)
    done = shell(f"exec $T {closed}", tmp_path, module=f"{unbuffered} code.py")
    assert ((tmp_path / "out").read_text(), done.returncode) == ("True ''", 0)


def test_help_for_a_reader_who_has_seen_enough_ends_well(tmp_path):
    done = shell("$T --help | true; echo ${PIPESTATUS[0]}", tmp_path)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("module", ["torch", "tyro"])
def test_a_package_that_is_missing_is_named_with_what_installs_it(tmp_path, module):
    code = f"import sys; sys.modules[{module!r}] = None; from rstdp_agents.tools.cli import main; sys.exit(main([]))"
    done = fresh(code, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error: {module} is not installed; install everything needed with: {sys.executable} -m pip install -e {ROOT}\n"
    )


def test_sources_that_are_not_installed_have_no_version():
    assert version("no_such_package") == "not installed"
    assert version("numpy").count(".") == 2


def test_nobody_asks_for_versions_by_the_way_that_fails_where_sources_are_not_installed():
    sources = {path.relative_to(ROOT): path.read_text() for path in (ROOT / "rstdp_agents").rglob("*.py")}
    assert [str(name) for name, text in sources.items() if "metadata.version" in text] == [
        "rstdp_agents/base/installation.py"
    ]
    assert not [name for name, text in sources.items() if "importlib.metadata import version" in text]


def test_the_package_itself_is_a_command(tmp_path):
    done = shell("exec $T --help", tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: __main__.py [COMMAND] [OPTIONS]")


@pytest.mark.parametrize(("env", "said"), [("CartPole-v1", "not solved in "), ("tests.environments.zoo:Sampled", "")])
def test_only_what_can_be_solved_is_said_not_to_be(tmp_path, env, said):
    kwargs = ["--env-kwargs", "name:box"] if said == "" else []
    short = ["--total-steps", 60, "--eval-episodes", 0, "--images", 0, "--no-progress", "--run-dir", tmp_path / "run"]
    done = command("--env", env, *kwargs, *short, cwd=ROOT)
    (line,) = re.findall(r"seed 0: (.*\d+) episodes", done.stdout)
    assert re.fullmatch(rf"{said}\d+", line)
