"""Search for settings with Optuna. All other options are those of training: --env, --rule, --total-steps, --seed, and
those of the groups.

Every trial trains --agents agents (one seed each) and scores their mean. Several trials train at once, as one population, if
each agent can have its own value of everything that is searched (docs/tutorials/compare.md says which settings allow this);
otherwise one after the other. The same command resumes a sweep that was stopped. With --launcher ray, Ray Tune spreads the
trials over a cluster and may stop those that fall behind or let them take over from those ahead.
"""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict, replace
from typing import Any

import torch
import tyro

from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.tools.commands import helptext, train
from rstdp_agents.tools.commands.arguments import at_home, name, program
from rstdp_agents.tools.sweep import space as search
from rstdp_agents.tools.sweep.options import Args
from rstdp_agents.training.reports.tables import columns, short


def main(argv: list[str]) -> int:
    """Search; then print the best settings and how to train with them."""
    asked = helptext.asked(argv)
    if asked is not None:
        print(help_of(argv[:asked], argv[asked + 1] if asked + 1 < len(argv) else "search"))
        return 0
    args, rest = read(argv)
    from rstdp_agents.tools.sweep.study import complete, open_study, search_here  # which need the extra `tune`

    config = train.parse(rest)[0]
    space = search.parse_space(args.space, config)
    on_cluster = config.launcher == "ray"
    validate.require(on_cluster or args.scheduler == "none", f"`--scheduler {args.scheduler}` needs `--launcher ray`")
    if args.scheduler == "pbt":
        search.check_steady(space)
    torch.set_num_threads(config.threads)
    flush_denormal()
    common = {"objective": args.objective, "space": args.space, "scheduler": args.scheduler, **asdict(config)}
    title = args.study or f"{config.env} {config.agent.rule}"
    study = open_study(args.storage, title, json.loads(json.dumps(common)), config.seed)
    if on_cluster:
        from rstdp_agents.tools.sweep.ray_tune import search_on_cluster  # which needs the extra `ray`

        search_on_cluster(study, config, space, args)
    else:
        search_here(study, config, space, args.objective, args.trials, args.at_once)
    report(complete(study)[:5], rest)
    return 0


def read(argv: list[str]) -> tuple[Args, list[str]]:
    """Arguments of the search, with ~ in paths replaced, and those of training."""
    args, rest = tyro.cli(Args, prog=f"{name()} sweep", description=__doc__, args=argv, return_unknown_args=True)
    args = at_home(args, ("storage_path",))
    kind, where, path = args.storage.partition(":///")
    return replace(args, storage=f"{kind}{where}{os.path.expanduser(path)}"), rest


def help_of(argv: list[str], group: str) -> str:
    """The options of the search, of one group of training, or of all."""
    head, own = helptext.read(helptext.captured(read, argv))
    training = helptext.read(helptext.captured(train.parse, []))[1]
    return helptext.page_of(head, {"search": own["options"], **train.grouped(training)}, group)


def report(best: list[Any], options: list[str]) -> None:
    """Print the best trials, and the command that trains with the best."""
    names = list(best[0].params)
    rows = [[str(t.number), f"{t.value:.2f}", *(short(t.params[each]) for each in names)] for t in best]
    print("\n" + columns(["trial", "mean", *names], rows))
    found = [word for each in names for word in (f"--{each.replace('_', '-')}", short(best[0].params[each]))]
    print(f"\ntrain with the best: {program()} {shlex.join([*options, *found])}")
