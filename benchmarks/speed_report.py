"""The figures of `benchmarks.speed` for people: tables, a page, a picture.

python -m benchmarks.speed_report docs/results/speed.json --docs docs/performance.md
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from matplotlib.figure import Figure

from benchmarks.breakdown import breakdown_table
from benchmarks.peers import sgemm
from benchmarks.peers.work import Size
from benchmarks.summary import exponent, ratios, share_of_limit, short
from rstdp_agents.training.reports.tables import table

BASELINE = "BindsNET"
Results = dict[str, Any]

INTRO = """\
# Performance

Produced by `{command}` in {seconds} s. Machine: {processor}, {cores} cores, {memory_gib} GiB, {system};
Python {python}, torch {torch}; every contestant on one thread, in its own process, warm, taking turns with the
others. Load of the machine at the start: {load_at_start}.

{picture}**How to read it.** Times vary with the machine and with what else runs on it (a load near the number of cores means that
others were computing too); ratios, taken in the same minutes, vary less. A cell is the median of the turns with its
quartiles in brackets, then how many times faster than BindsNET that is. Without brackets it is a single env step, longer
than the time for all turns: a rough figure.

An env step is 16 ticks of one dense layer of LIF neurons with R-STDP-ET (MSTDPET), 10 % of the inputs firing in a tick, a
reward per env, and one write of the weights per tick for the peers and per env step for ours. The peers get spikes drawn
beforehand; **ours draw theirs inside (Bernoulli encoding), with escape noise, homeostasis and weight bounds on top.**
B is the number of envs that one agent learns from. SpikingJelly's MSTDPET takes one sample: with B > 1 it runs MSTDP,
which keeps no eligibility trace and is less work.

"""


NO_CUDA = """\
No CUDA device in this run. What can be tested without one is tested: on torch's `meta` device, which holds no numbers, an env
step of every decoder, rule and modulator brings observation and reward to the device, fetches the action, and reads nothing
in between (`tests/agent/test_device.py`). The scan over the ticks is four operations a tick there; captured graphs, which would
merge them into one call, are not implemented, because they could not have been tested."""


def layer_table(rows: list[Results]) -> str:
    """Contestants by sizes: microseconds per env step."""
    names = list(dict.fromkeys(name for row in rows for name in row["contestants"]))
    faster = [ratios(row["contestants"], BASELINE) for row in rows]
    lines = []
    for name in names:
        cells = [cell(row["contestants"].get(name), r.get(name)) for row, r in zip(rows, faster)]
        lines.append([name + ", with encoding" * name.startswith("ours"), *cells])
    return table(["us per env step", *(row["name"] for row in rows)], lines)


def no_trace(results: Results) -> str:
    """Table of R-STDP, and how it compares with the rule of the table above."""
    text = (
        "R-STDP (MSTDP) drops its eligibility with every env step. Then the eligibility of the envs need not be stored: "
        "each env's reward enters one contraction over ticks and envs, straight into the weight. The peers run their "
        "MSTDP.\n\n" + layer_table(results["no_trace"])
    )
    last, traced = results["no_trace"][-1], results["layers"][-1]["contestants"]
    if BASELINE not in traced:
        return text
    faster = [
        f"{name} x{short(traced[BASELINE]['median'] / figure['median'])}"
        for name, figure in last["contestants"].items()
        if name.startswith("ours")
    ]
    return f"{text}\n\nOf {BASELINE}'s MSTDPET at {results['layers'][-1]['name']}: {', '.join(faster)}."


def upkeep(results: Results) -> str:
    """What a run spends time on besides its steps."""
    percent = results["upkeep"]["percent"]
    shares = ", ".join(f"{name} {share:.2f} %" for name, share in percent.items())
    return (
        f"`train.py` at its default settings, {results['upkeep']['steps']:,} env steps of CartPole, its fastest "
        f"environment: {shares} of the time, {sum(percent.values()):.2f} % together."
    )


def cell(figure: Results | None, ratio: float | None) -> str:
    """Median, quartiles if there was more than one turn, and ratio; a dash for what did not run."""
    if figure is None:
        return "-"
    low, median, high = (short(figure[key]) for key in ("low", "median", "high"))
    spread = f" [{low}, {high}]" if figure["turns"] > 1 else ""
    return median + spread + ("" if ratio is None else f", x{short(ratio)}")


def limit_table(rows: list[Results]) -> str:
    """How close ours come to the machine's limits, where the work is more than a call's overhead."""
    lines = []
    for row in rows:
        size, limits = Size(**row["size"]), row["limits"]
        if size.bytes_moved < 1e6 or len(limits) < 2:
            continue
        axpy, gemm = (limits[name]["median"] * 1e-6 for name in ("axpy", "sgemm"))
        bandwidth, flops = size.bytes_moved / axpy, sgemm.FLOPS / gemm
        for name in [n for n in row["contestants"] if n.startswith("ours") or n == BASELINE]:
            us = row["contestants"][name]["median"]
            shares = share_of_limit(size.bytes_moved, us, bandwidth), share_of_limit(size.flops, us, flops)
            limit = [short(bandwidth / 1e9), short(flops / 1e9)]
            lines.append([row["name"], *limit, name, *(f"{100 * share:.1f} %" for share in shares)])
    return table(["size", "axpy GB/s", "sgemm GFLOP/s", "", "of the bandwidth", "of sgemm"], lines)


def cartpole_table(results: Results) -> str:
    """Env steps per second of the whole loop, one agent and many."""
    loops, lines = results["cartpole"], []
    base = loops.get(BASELINE, {}).get("median")
    entries = [(name, 1, figure) for name, figure in loops.items()]
    for agents, figures in results["populations"].items():
        entries += [(name, int(agents), figure) for name, figure in figures.items()]
    for name, agents, f in entries:
        rates = sorted(agents * 1e6 / f[key] for key in ("low", "median", "high"))
        faster = f"x{short(rates[1] * base / 1e6)}" if base else "-"
        lines.append([name, str(agents), f"{short(rates[1])} [{short(rates[0])}, {short(rates[2])}]", faster])
    return table(["", "agents", "env steps per second, all agents together", "of BindsNET"], lines)


def memory_table(memory: dict[str, dict[str, float]]) -> str:
    lines = [
        [name, short(m["peak_mib"]), short(m["added_mib"]), f"x{m['added_mib'] / m['state_mib']:.2f}"]
        for name, m in memory.items()
    ]
    return table(["", "peak MiB", "added by the work", "of weight and eligibility"], lines)


def growth_tables(growth: dict[str, dict[str, list[float]]]) -> str:
    """A table per axis; the exponent is that of a power law through its points."""
    parts = []
    for axis, columns in growth.items():
        values = columns["value"]
        lines = [
            [name, *(short(us) for us in times), f"{exponent(values, times):.2f}"]
            for name, times in columns.items()
            if name != "value" and len(times) == len(values)
        ]
        parts.append(table([f"us, {axis} =", *(str(v) for v in values), "exponent"], lines))
    return "\n\n".join(parts)


def page(results: Results, plot: str | None) -> str:
    """The whole page in Markdown; plot: address of the picture, left out if None."""
    facts = {**results["machine"], "command": results["command"], "seconds": results["seconds"]}
    intro = INTRO.format(**facts, picture=f"![Times faster than BindsNET]({plot})\n\n" if plot else "")
    versions = ", ".join(f"{n} {v}" for n, v in results["versions"].items() if n not in ("axpy", "sgemm"))
    logs = [
        f"{name} {x['median']:+.1f} % [{x['low']:+.1f}, {x['high']:+.1f}] of the time of a step, in {x['turns']} pairs."
        for name, x in results["logging"].items()
    ]
    left_out = [f"* {name}: {reason}" for name, reason in results["left_out"].items()] or ["Nothing."]
    sections = {
        "One layer": f"{layer_table(results['layers'])}\n\n{versions}.",
        "Without an eligibility trace": no_trace(results),
        "How close to the machine's limits": "The least possible traffic is weight and eligibility, read and written once; the "
        "limits are an in-place `a += c b` over as many bytes and a square matmul of 512, measured in the same turns.\n\n"
        + limit_table(results["layers"]),
        "CartPole, the whole training loop": "Ours is `train.py` with critic, homeostasis and metrics; the peers run the "
        "smallest loop around their layer, with the same place cells, neurons and 10 ticks. The pictures of a run are "
        "left out.\n\n" + cartpole_table(results),
        "Where the time of the loop goes": "The same loop with progress bar and metrics, microseconds "
        "per env step; the env itself includes Gymnasium's wrappers and the one that reports its faults. The cost of "
        "measuring is subtracted.\n\n" + breakdown_table(results["breakdown"]),
        "What upkeep costs": upkeep(results) + "\n\nMetrics, in pairs of runs with and without them: " + " ".join(logs),
        "Memory": f"A fresh process each, {results['layers'][-1]['name']}, one env step (two ticks for the peers, which hold no "
        "window). What the work added is the peak minus that of the same process after the smallest size, which has imported "
        "and compiled all it needs.\n\n" + memory_table(results["memory"]),
        "Growth": "From 784->100, B1, 16 ticks, one agent.\n\n" + growth_tables(results["growth"]),
        "CUDA": layer_table(results["cuda"]) if results["cuda"] else NO_CUDA,
        "Left out": "\n".join(left_out),
    }
    return intro + "\n".join(f"## {title}\n\n{text}\n" for title, text in sections.items())


def groups(results: Results) -> dict[str, dict[str, float]]:
    """Ratios to BindsNET for the picture: group -> contestant -> ratio."""
    out = {row["name"]: ratios(row["contestants"], BASELINE) for row in results["layers"]}
    loops = results["cartpole"]
    out["CartPole loop"] = ratios(loops, BASELINE)
    if BASELINE in loops:
        agents, figures = list(results["populations"].items())[-1]
        base = loops[BASELINE]["median"]
        out[f"CartPole, {agents} agents"] = {n: int(agents) * base / f["median"] for n, f in figures.items()}
    return {group: shares for group, shares in out.items() if shares}


def draw(results: Results) -> Figure:
    """Bars of the ratios to BindsNET, up for faster and down for slower."""
    shown = groups(results)
    names = [n for n in dict.fromkeys(name for shares in shown.values() for name in shares) if n != BASELINE]
    names.sort(key=lambda name: name.startswith("ours"))
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / max(1, len(names))
    for i, name in enumerate(names):
        points = [(at, shares[name]) for at, shares in enumerate(shown.values()) if name in shares]
        x = [at + (i - (len(names) - 1) / 2) * width for at, _ in points]
        colour = f"C{i}" if name.startswith("ours") else f"{0.35 + 0.15 * i:.2f}"
        bars = axes.bar(x, [ratio - 1 for _, ratio in points], width, bottom=1, label=name, color=colour)
        labels = [short(ratio) for _, ratio in points]
        axes.bar_label(bars, labels, fontsize=6.5, padding=1)
    axes.axhline(1, color="0.2", linewidth=1)
    axes.set(
        yscale="log",
        ylabel="times faster than BindsNET",
        xticks=range(len(shown)),
        xticklabels=[group.replace(", ", ",\n") for group in shown],
    )
    axes.margins(y=0.12)
    figure.legend(loc="outside upper center", ncols=4, fontsize=8)
    return figure


def write(results: Results, docs: Path | None, plot: Path | None) -> None:
    """Page and picture; the picture goes to ``results/`` beside the page unless told otherwise."""
    if plot is None and docs is not None:
        plot = docs.parent / "results" / "speed.png"
    if plot is not None and not groups(results):
        print(f"no picture: {BASELINE} did not run")
        plot = None
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        draw(results).savefig(plot, dpi=130)
    if docs is not None:
        address = None if plot is None else os.path.relpath(plot, docs.parent)
        docs.parent.mkdir(parents=True, exist_ok=True)
        docs.write_text(page(results, address))


@dataclass(frozen=True)
class Args:
    """From a file of figures to a page."""

    results: tyro.conf.Positional[Path]
    """What `benchmarks.speed --json` wrote."""
    docs: Path | None = None
    """Markdown page to write."""
    plot: Path | None = None
    """Picture of the ratios; beside the page if that is written."""


if __name__ == "__main__":
    args = tyro.cli(Args, description=__doc__)
    write(json.loads(args.results.read_text()), args.docs, args.plot)
