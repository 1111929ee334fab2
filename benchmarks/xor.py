"""Exclusive or under reward-modulated plasticity: every seed beside its untrained start and its twins, as table and raw rates.

python benchmarks/xor.py run --code rate --rule rstdp-et --seeds 1000-1019
python benchmarks/xor.py report

Seeds below 1000 are for tuning, the others for reporting. The second command makes tables and figure of what the first wrote.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from matplotlib.figure import Figure

from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.tools.demos.xor import CONDITIONS, Args, Result, clear, experiment, margin, summary
from rstdp_agents.tools.demos.xor_task import BITS, TARGET
from rstdp_agents.training.evaluation import interval

RUNS = [(code, rule) for code in ("rate", "temporal") for rule in ("rstdp", "rstdp-et")]


def gain(result: Result, condition: str) -> str:
    """How much larger the margin of a condition is than its frozen twin's, with a bootstrap 95 % interval over seeds."""
    more = margin(result.after[condition]) - margin(result.after["frozen"])
    low, high = interval(more) if np.ptp(more) else (more[0], more[0])
    return f"{condition}: {more.mean():.1f} Hz [{low:.1f}, {high:.1f}], larger in {(more > 0).sum()}/{len(more)} seeds"


def seed_table(result: Result) -> str:
    """One line per seed: rates after training, and the margins of the twins."""
    lines = ["| seed | 00, 01, 10, 11 trained (Hz) | margin | frozen | shuffled | passes | clear |", "|" + " --- |" * 7]
    for i, seed in enumerate(result.seeds):
        rates = {name: result.after[name][i] for name in CONDITIONS}
        margins = " | ".join(f"{margin(rates[name]):.1f}" for name in CONDITIONS)
        trained = rates["trained"]
        verdict = " | ".join("yes" if yes else "no" for yes in (margin(trained) > 0, clear(trained)))
        lines.append(f"| {seed} | {', '.join(f'{rate:.1f}' for rate in trained)} | {margins} | {verdict} |")
    return "\n".join(lines)


def stem(out: Path, code: str, rule: str) -> Path:
    return out / f"xor_{code}_{rule}"


def text(result: Result) -> str:
    """Summary, and how far the conditions are from the frozen twins."""
    gains = [gain(result, condition) for condition in ("trained", "shuffled")]
    return f"{summary(result)}\n\nMargin above that of the frozen twin:\n\n- {gains[0]}\n- {gains[1]}\n"


def run(args: tyro.conf.OmitArgPrefixes[Args], out: Path = Path("docs/results")) -> None:
    """Train and test; writes xor_<code>_<rule>.json, or only prints if the seeds are tuning seeds."""
    torch.set_num_threads(1)
    flush_denormal()
    start = time.time()
    result = experiment(args)
    seconds = round(time.time() - start)
    print(f"{text(result)}{seconds} s")
    if min(result.seeds) < 1000:
        return
    command = "python " + " ".join(sys.argv)
    made = {"command": command, "version": version("rstdp_agents"), "torch": torch.__version__, "seconds": seconds}
    rates: dict[str, Any] = {name: result.after[name].round(2).tolist() for name in CONDITIONS}
    rates["untrained"] = result.untrained.round(2).tolist()
    made |= {
        "machine": platform.machine(),
        "patterns": BITS,
        "target": TARGET,
        "seeds": result.seeds,
        "rates_hz": rates,
    }
    made["training_hz"] = result.course.round(2).tolist()
    out.mkdir(parents=True, exist_ok=True)
    stem(out, args.code, args.rule).with_suffix(".json").write_text(json.dumps(made) + "\n")


def load(path: Path) -> tuple[str, Result]:
    """Command and result of a run."""
    made = json.loads(path.read_text())
    rates = {name: np.array(values) for name, values in made["rates_hz"].items()}
    untrained = rates.pop("untrained")
    return made["command"], Result(tuple(made["seeds"]), untrained, rates, np.array(made["training_hz"]))


def report(results: Path = Path("docs/results"), out: Path = Path("docs/xor.png")) -> None:
    """Tables xor_<code>_<rule>.md beside the runs, and the figure of all four."""
    runs = {}
    for code, rule in RUNS:
        path = stem(results, code, rule)
        command, runs[code, rule] = load(path.with_suffix(".json"))
        path.with_suffix(".md").write_text(f"`{command}`\n\n{text(runs[code, rule])}\n{seed_table(runs[code, rule])}\n")
        print(f"{code} code, {rule}\n\n{text(runs[code, rule])}")
    figure(runs).savefig(out, dpi=110)


def figure(runs: dict[tuple[str, str], Result]) -> Figure:
    """Output rates during training, mean over seeds: the weaker wanted pattern and the stronger unwanted one."""
    wanted = np.array(TARGET) > 0
    picture = Figure(figsize=(9, 6), layout="constrained")
    for axes, (code, rule) in zip(picture.subplots(2, 2, sharex=True, sharey="row").flat, RUNS, strict=True):
        course = runs[code, rule].course
        epochs = np.arange(1, len(course) + 1)
        for condition, style in (("trained", "-"), ("shuffled", "--"), ("frozen", ":")):
            rates = course[:, CONDITIONS.index(condition)]
            weaker, stronger = rates[:, wanted].min(1), rates[:, ~wanted].max(1)
            axes.plot(epochs, weaker, style, color="#1f5fa8", label=f"weaker of 01, 10: {condition}", linewidth=1.3)
            axes.plot(epochs, stronger, style, color="#c4501b", label=f"stronger of 00, 11: {condition}", linewidth=1.3)
        axes.set_title(f"{code} code, {'MSTDP' if rule == 'rstdp' else 'MSTDPET'}", loc="left", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(bottom=0)
        if rule == "rstdp":
            axes.set_ylabel("output rate (Hz)")
        if code == "temporal":
            axes.set_xlabel("training epoch (each pattern once)")
    handles, labels = picture.axes[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    return picture


if __name__ == "__main__":
    tyro.extras.subcommand_cli_from_dict({"run": run, "report": report}, description=__doc__)
