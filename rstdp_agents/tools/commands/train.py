"""Train agents on a Gymnasium environment."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

import tyro
from tqdm import tqdm

from rstdp_agents.base.devices import check_device
from rstdp_agents.base.errors import EnvironmentFault, UsageError
from rstdp_agents.base.settings import from_json
from rstdp_agents.spiking.plasticity.options import RuleName
from rstdp_agents.tools.commands import helptext
from rstdp_agents.tools.commands.arguments import at_home, program
from rstdp_agents.training import presets
from rstdp_agents.training.config import MachineConfig, RecordConfig, Regime, RunConfig
from rstdp_agents.training.episodes import RECENT_EPISODES, of_episodes
from rstdp_agents.training.evaluation import in_words
from rstdp_agents.training.loop import Training
from rstdp_agents.training.runs.checkpoint import checkpoints, latest_checkpoint, load_checkpoint
from rstdp_agents.training.runs.folder import SETTINGS, check_unused, has_begun, hold, warnings_of
from rstdp_agents.training.runs.resume import folder_of
from rstdp_agents.training.runs.trust import Trust, foreign

GROUPS = {"machine": MachineConfig, "records": RecordConfig}
"""Groups of `--help` whose options have no prefix."""


@dataclass(frozen=True)
class Line(RunConfig):
    """A command line: the settings of a run, and options that are no settings and must not come from a file."""

    trust: bool = False
    """With --resume: import the code that the run names beyond Gymnasium and this package (environment, wrapper,
    rule, ...). Use it only for runs whose maker you trust as you would the author of a program."""


def main(argv: list[str]) -> int:
    """Train, or show a group of options for --help."""
    asked = helptext.asked(argv)
    if asked is not None:
        print(help_of(argv[:asked], argv[asked + 1] if asked + 1 < len(argv) else "run"))
        return 0
    config, checkpoint, note = parse(argv)
    if "TORCHELASTIC_RUN_ID" in os.environ:  # torchrun started this process, and others
        from rstdp_agents.training.distributed import torchrun

        summary, code = torchrun.train(config, checkpoint, run_folder, note)
        if summary:
            report(summary)
        return code
    return train(config, run_folder(config, checkpoint), checkpoint, note)


def help_of(argv: list[str], group: str) -> str:
    """The options of one group, or of all, with the defaults that ``argv`` implies."""
    head, groups = helptext.read(helptext.captured(parse, argv))
    return helptext.page_of(head, grouped(groups), group)


def grouped(groups: dict[str, helptext.Group]) -> dict[str, helptext.Group]:
    """The groups, with the options of a run split into three: task and agent, machine, and records."""
    known = dict(groups)
    options = known.pop("options").options
    of = {field.name: group for group, kind in GROUPS.items() for field in fields(kind)}
    whose = [of.get(written.split()[0].strip("-,").replace("-", "_"), "run") for written, _ in options]
    first = {
        name: helptext.Group("", [option for option, own in zip(options, whose) if own == name])
        for name in ("run", *GROUPS)
    }
    return {**first, **known}


def parse(argv: list[str]) -> tuple[RunConfig, Path | None, str]:
    """Command line -> configuration, checkpoint to resume from, and where the defaults came from.

    The defaults depend on the line itself: on `--resume`, else on `--rule` and the environment.
    """
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--env", default="CartPole-v1")
    first.add_argument("--rule", default="rstdp-et")
    first.add_argument("--env-kwargs", "--env_kwargs", nargs="*")
    first.add_argument("--wrapper", action="append", default=[])
    first.add_argument("--regime", default="fast")
    first.add_argument("--resume", default="")
    known, _ = first.parse_known_args(argv)
    checkpoint = None
    if known.resume:
        checkpoint, saved, note = beginning(Path(os.path.expanduser(known.resume)))
        default = replace(from_json(RunConfig, saved), run_dir="")  # the folder may have moved since
    else:
        rule = known.rule if known.rule in get_args(RuleName) else "rstdp-et"  # unknown rules are refused below
        task = known.env, rule, known.env_kwargs and tuple(known.env_kwargs), tuple(known.wrapper)
        regime = known.regime if known.regime in get_args(Regime) else "fast"  # likewise
        default, note = presets.preset(*task, regime), presets.origin(*task, regime)
    line = tyro.cli(Line, default=Line(**vars(default)), args=argv, description=__doc__)
    config = RunConfig(**{field.name: getattr(line, field.name) for field in fields(RunConfig)})
    if known.resume:
        one_regime(default.regime, config.regime)
        file = checkpoint or Path(known.resume) / SETTINGS
        Trust.of_line(line.trust, argv).check(config, file)
        check_device(config.device, file if config.device == default.device else None)
    else:
        check_device(config.device)
    return at_home(config, ("run_dir", "resume", "storage")), checkpoint, note


def one_regime(was: str, now: str) -> None:
    """Raise UsageError for a regime that is another one than that of the run that is resumed."""
    if was != now:
        raise UsageError(f"`--regime` is {was} in the run that is resumed, and cannot become {now}")


def beginning(resume: Path) -> tuple[Path | None, Any, str]:
    """Checkpoint to resume from, settings, and a note; a run that was killed before its first checkpoint starts over."""
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
    """Contents of config.json. Raises UsageError if it is not JSON."""
    try:
        return json.loads((folder / SETTINGS).read_text())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{folder / SETTINGS} is damaged: {error}") from error


def run_folder(config: RunConfig, checkpoint: Path | None) -> Path | None:
    """The folder to write to, None for a new one. Raises UsageError if it already holds another run."""
    resumed = Path(config.resume)
    own = None if not config.resume else resumed if resumed.is_dir() else folder_of(resumed)
    if not config.run_dir:
        if config.resume and own is None:
            raise UsageError(f"{checkpoint} is not in a run folder: give --run-dir for the run that starts from it")
        return own
    folder = Path(config.run_dir)
    if own is None or own.resolve() != folder.resolve():
        check_unused(folder)
    return folder


def train(config: RunConfig, folder: Path | None, checkpoint: Path | None, note: str) -> int:
    """Train and evaluate, with messages for the user."""
    if config.launcher == "ray":
        from rstdp_agents.training.distributed.cluster import train_on_cluster  # which needs the extra `ray`

        folder, lock = hold(folder, config)
        print(
            f"{config.agent.rule} on {config.env} ({note}), {config.agents} agent(s) on a cluster, writing to {folder}"
        )
        try:
            report(train_on_cluster(replace(config, run_dir=str(folder)), folder))
        finally:
            lock.release()
        return 0
    with Training(replace(config, run_dir=str(folder or "")), folder, checkpoint) as training:
        folder = training.folder
        print(f"{config.agent.rule} on {config.env} ({note}), {config.agents} agent(s), writing to {folder}")
        training.monitor.introduce(tqdm.write)
        try:
            finished = training.run()
        except (EnvironmentFault, OSError):
            print(f"stopped at step {training.step}; resume with: {resuming(folder, config)}")
            raise
        if not finished:
            with contextlib.suppress(OSError):  # the terminal may be gone, which is why
                print(f"interrupted at step {training.step}; resume with: {resuming(folder, config)}", flush=True)
            return 128 + training.stopped_by
        report(training.finish())
    print(f"watch it with: tensorboard --logdir {shlex.quote(str(folder))}")
    return 0


def resuming(folder: Path, config: RunConfig) -> str:
    """The command that resumes a run, with --trust if the run uses code of its own."""
    return f"{program()} --resume {shlex.quote(str(folder))}{' --trust' if foreign(config) else ''}"


def report(summary: dict[str, Any]) -> None:
    """One line per agent, what is wrong with any of them, and the population's mean with its 95 % interval."""
    unsolved = "" if summary["reward_threshold"] is None else "not solved in "
    for agent in summary["agents"]:
        solved, episodes = agent["solved_at_episode"], agent["episodes"]
        verdict = f"solved at episode {solved} of {episodes}" if solved else f"{unsolved}{episodes} episodes"
        line = f"seed {agent['seed']}: {verdict}"
        line += f", last {RECENT_EPISODES} {_number(agent['final_mean'])}{of_episodes(episodes)}"
        if agent["best_mean"] is not None:
            line += f", best {RECENT_EPISODES} {_number(agent['best_mean'])}"
        for kind in ("greedy", "stochastic"):
            if agent[f"eval_{kind}"]:
                line += f", {kind} {agent[f'eval_{kind}']['mean']:.1f} +- {agent[f'eval_{kind}']['std']:.1f}"
        print(line)
    for line in warnings_of(summary):
        print(line)
    for name, a in summary["aggregate"].items():
        print(in_words(name.removeprefix("eval_"), a))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
