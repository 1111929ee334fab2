"""Train agents on a Gymnasium environment."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

import torch
import tyro

from rstdp_agents.config import MachineConfig, RecordConfig, RuleName, RunConfig, from_json
from rstdp_agents.episodes import WINDOW
from rstdp_agents.errors import EnvironmentFault, UsageError
from rstdp_agents.presets import PRESETS, preset
from rstdp_agents.runs.checkpoint import checkpoints, latest_checkpoint, load_checkpoint
from rstdp_agents.runs.folder import SETTINGS, check_unused, has_begun, hold
from rstdp_agents.runs.resume import folder_of
from rstdp_agents.runs.trust import Trust
from rstdp_agents.training import Training

GROUPS = {"machine": MachineConfig, "records": RecordConfig}
"""Groups of `--help` whose options have no name in front."""


@dataclass(frozen=True)
class Line(RunConfig):
    """What the command line holds: a run, and what is no setting of it and no file may say."""

    trust: bool = False
    """With --resume: import the code that the run names beyond Gymnasium and this package (environment, wrapper,
    rule, ...). Say so only of runs whose maker you trust as you would the author of a program."""


def main(argv: list[str]) -> int:
    """Train, or show a group of options where --help is asked for."""
    asked = next((i for i, word in enumerate(argv) if word in ("-h", "--help")), None)
    if asked is not None:
        print(help_of(argv[:asked], argv[asked + 1] if asked + 1 < len(argv) else "run"))
        return 0
    config, checkpoint, note = parse(argv)
    if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun started this process, and others
        from rstdp_agents.distributed import torchrun

        check_device(config.device)
        summary, code = torchrun.train(config, checkpoint, run_folder, note)
        if summary:
            report(summary)
        return code
    return train(config, run_folder(config, checkpoint), checkpoint, note)


def help_of(argv: list[str], group: str) -> str:
    """The options of one group, or of all, with the defaults that ``argv`` brings about."""
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        parse([*argv, "--help"])
    output.seek(0)
    text = output.read()
    usage, run, *rest = re.split(r"(?m)^(?=╭─ )", text)  # tyro draws a box around each group
    boxes = {**parts(run), **{box.split()[1]: box for box in rest}}
    if group == "all":
        return text.rstrip()
    if group not in boxes:
        raise UsageError(f"unknown group of options {group!r}; groups are {', '.join(boxes)}, all")
    others = ", ".join(name for name in [*boxes, "all"] if name != group)
    return f"{usage}{boxes[group]}other groups, by --help GROUP: {others}"


def parts(box: str) -> dict[str, str]:
    """The box of all options of a run as boxes of those of the task and the agent, of the machine, and of records."""
    top, *options, last = re.split(r"(?m)^(?=│ -|╰)", box)
    of = {field.name: group for group, kind in GROUPS.items() for field in fields(kind)}
    out = {group: top.replace(f" options {len(group) * '─'}─", f" {group} options ", 1) for group in ("run", *GROUPS)}
    for option in options:
        name = option.split()[1].strip("-,").replace("-", "_")
        out[of.get(name, "run")] += option
    return {group: text + last for group, text in out.items()}


def parse(argv: list[str]) -> tuple[RunConfig, Path | None, str]:
    """Command line -> configuration, checkpoint to resume from, and where the defaults came from.

    The defaults depend on the line itself: on `--resume`, else on `--env` and `--rule`.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--env", default="CartPole-v1")
    first.add_argument("--rule", default="rstdp-et")
    first.add_argument("--resume", default="")
    known, _ = first.parse_known_args(argv)
    checkpoint = None
    if known.resume:
        checkpoint, saved, note = beginning(Path(known.resume))
        default = replace(from_json(RunConfig, saved), run_dir="")  # the folder may have moved since
    else:
        rule = known.rule if known.rule in get_args(RuleName) else "rstdp-et"  # what is none is refused below
        default = preset(known.env, rule)
        has_preset = rule in PRESETS.get(known.env, {})
        note = f"preset {known.env}, {rule}" if has_preset else f"no preset for {known.env}: defaults"
    line = tyro.cli(Line, default=Line(**vars(default)), args=argv, description=__doc__)
    config = RunConfig(**{field.name: getattr(line, field.name) for field in fields(RunConfig)})
    if known.resume:
        Trust.of_line(line.trust, argv).check(config, checkpoint or Path(known.resume) / SETTINGS)
    return config, checkpoint, note


def beginning(resume: Path) -> tuple[Path | None, Any, str]:
    """Checkpoint to resume from, settings, and what to say: a run that was killed before its first checkpoint starts over."""
    if has_begun(resume) and not checkpoints(resume):
        saved = settings_of(resume)
        origin = saved.get("resume") if isinstance(saved, dict) else None
        if not origin:
            return None, saved, f"starting over {resume}, which has no checkpoint"
        checkpoint = Path(str(origin))
        load_checkpoint(checkpoint)
        return checkpoint, saved, f"starting over {resume} from {checkpoint}"
    checkpoint = latest_checkpoint(resume)
    return checkpoint, load_checkpoint(checkpoint)[1].get("config"), f"resuming {checkpoint}"


def settings_of(folder: Path) -> Any:
    """What config.json holds. Raises UsageError where that is no JSON."""
    try:
        return json.loads((folder / SETTINGS).read_text())
    except ValueError as error:
        raise UsageError(f"{folder / SETTINGS} is damaged: {error}") from error


def run_folder(config: RunConfig, checkpoint: Path | None) -> Path | None:
    """The folder to write to, None for a new one. Raises UsageError if it already holds another run."""
    resumed = Path(config.resume)
    own = None if not config.resume else resumed if resumed.is_dir() else folder_of(resumed)
    if not config.run_dir:
        if config.resume and own is None:
            raise UsageError(f"{checkpoint} is in no run folder: give --run-dir for the run that begins with it")
        return own
    folder = Path(config.run_dir)
    if own is None or own.resolve() != folder.resolve():
        check_unused(folder)
    return folder


def train(config: RunConfig, folder: Path | None, checkpoint: Path | None, note: str) -> int:
    """Train, evaluate, and say on the way what a person wants to know."""
    check_device(config.device)
    if config.launcher == "ray":
        from rstdp_agents.distributed.cluster import train_on_cluster  # which needs the extra `ray`

        folder, lock = hold(folder, config)
        print(
            f"{config.agent.rule} on {config.env} ({note}), {config.agents} agent(s) on a cluster, writing to {folder}"
        )
        with lock:
            report(train_on_cluster(replace(config, run_dir=str(folder)), folder))
        return 0
    with Training(replace(config, run_dir=str(folder or "")), folder, checkpoint) as training:
        folder = training.folder
        print(f"{config.agent.rule} on {config.env} ({note}), {config.agents} agent(s), writing to {folder}")
        try:
            finished = training.run()
        except (EnvironmentFault, OSError):
            print(f"stopped at step {training.step}; go on with: python train.py --resume {folder}")
            raise
        if not finished:
            with contextlib.suppress(OSError):  # the terminal may be gone, which is why
                print(f"interrupted at step {training.step}; go on with: python train.py --resume {folder}", flush=True)
            return 128 + training.stopped_by
        report(training.finish())
    print(f"watch it with: tensorboard --logdir {folder}")
    return 0


def check_device(name: str) -> None:
    """Raise UsageError unless tensors can be made on the device."""
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"`--device {name}` cannot be used here: {str(error).splitlines()[0]}") from error


def report(summary: dict[str, Any]) -> None:
    """One line per agent, and the population's mean with its 95 % interval."""
    for agent in summary["agents"]:
        solved, episodes = agent["solved_at_episode"], agent["episodes"]
        verdict = f"solved at episode {solved} of {episodes}" if solved else f"not solved in {episodes} episodes"
        line = f"seed {agent['seed']}: {verdict}"
        line += f", last {min(episodes, WINDOW)} {_number(agent['final_mean'])}"
        if agent["best_mean"] is not None:
            line += f", best {WINDOW} {_number(agent['best_mean'])}"
        for kind in ("greedy", "stochastic"):
            if agent[f"eval_{kind}"]:
                line += f", {kind} {agent[f'eval_{kind}']['mean']:.1f} +- {agent[f'eval_{kind}']['std']:.1f}"
        print(line)
    for name, a in summary["aggregate"].items():
        print_aggregate(name.removeprefix("eval_"), a)


def print_aggregate(kind: str, a: dict[str, Any]) -> None:
    """One line on what `evaluation.aggregate` made of the returns of a kind of policy."""
    print(f"{kind}: mean {a['mean']:.1f}, 95 % interval over {a['n']} {a['over']} [{a['low']:.1f}, {a['high']:.1f}]")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
