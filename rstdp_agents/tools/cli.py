"""The entry point: finds the command, runs it, and turns errors into one line and an exit code, never a traceback."""

from __future__ import annotations

import atexit
import difflib
import gc
import os
import sys
from importlib import import_module
from typing import Any

from rstdp_agents.base import screen, streams
from rstdp_agents.base.errors import CheckpointError, Diverged, EnvironmentFault, RankLost, UsageError
from rstdp_agents.base.garbage import uncollected
from rstdp_agents.base.installation import PACKAGE

COMMANDS = {
    "train": "train agents on an environment; the default command: %(prog)s --env Acrobot-v1",
    "eval": "play episodes with trained agents, greedy and stochastic, on screen if you like",
    "video": "film an agent with its spikes, rates, value, eligibility and reward",
    "plot": "draw the learning curves of one or several runs",
    "report": "compare runs: a page with tables, intervals and figures",
    "sweep": "search for settings with Optuna, many agents at once",
    "inspect": "show what a run or checkpoint holds: settings, layers, weights, rates",
    "export": "write a trained agent for other runtimes: torch program, ONNX, neuromorphic graph",
}
"""Modules of `rstdp_agents.tools.commands`, each with a ``main(argv)``, and what they are for."""
HELP = """\
usage: %(prog)s [COMMAND] [OPTIONS]

Train spiking agents on a Gymnasium environment by local, reward-modulated plasticity, and inspect the results.

commands, each with its own --help:
%(commands)s

options of train, by group:
  %(prog)s --help GROUP    run, machine, records, simulation, encoder, network, neuron, plasticity, decoder,
                           modulation, homeostasis, or all
"""


def main(argv: list[str] | None = None) -> int:
    """Run a command; returns the exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    streams.secure()
    atexit.register(gc.freeze)  # else the interpreter spends a second on garbage collection before it exits
    screen.prepare()
    try:
        return dispatch(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return 130
    except ImportError as error:
        print("error:", wanting(error), file=sys.stderr)
        return 1
    except (EnvironmentFault, CheckpointError, Diverged, RankLost, OSError) as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        return 1
    except ValueError as error:
        print("error:", " ".join(str(error).split()), file=sys.stderr)
        return 2


def dispatch(argv: list[str]) -> int:
    """Run the command at the start of the line; a line that starts with an option trains."""
    if argv in (["-h"], ["--help"]):
        print(front_page(os.path.basename(sys.argv[0])), end="")
        return 0
    if not argv or argv[0].startswith("-"):
        argv = ["train", *argv]
    if argv[0] not in COMMANDS:
        near = difflib.get_close_matches(argv[0], COMMANDS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UsageError(f"unknown command {argv[0]!r}{hint}; commands are {', '.join(COMMANDS)}")
    return command(argv[0]).main(argv[1:])


def command(name: str) -> Any:
    """A command's module, in which nobody looks for garbage, nor in what it needs."""
    with uncollected():
        module = import_module(f"rstdp_agents.tools.commands.{name}")
    gc.freeze()
    return module


def wanting(error: ImportError) -> str:
    """Which package is missing or incompatible, and how to install it. Raises ``error`` for modules of this project."""
    name, root = (error.name or "").partition(".")[0], PACKAGE.parent
    if name in ("rstdp_agents", "rstdp_envs"):
        raise error
    what = f"{name} is not installed" if isinstance(error, ModuleNotFoundError) else " ".join(str(error).split())
    package = f"-e {root}" if (root / "pyproject.toml").exists() else "rstdp_agents"
    return f"{what}; install everything needed with: {sys.executable} -m pip install {package}"


def front_page(prog: str) -> str:
    """The output of --help: the commands, and where to find the options of training."""
    lines = "\n".join(f"  {name:8} {purpose}" for name, purpose in COMMANDS.items())
    return HELP.replace("%(commands)s", lines).replace("%(prog)s", prog)
