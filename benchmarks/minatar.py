"""The five games of MinAtar, by the one setting, beside frozen twins and random actions.

python -m benchmarks.minatar                       whatever is missing, a file for every five seeds of a game, and the page
python -m benchmarks.minatar --game Breakout       what is missing of one game: games may run side by side
python -m benchmarks.minatar --game Breakout --seeds 0-2 --frames 300_000 --set plasticity.lr=0.5     a changed setting, printed

All six actions, sticky ones (as the games are registered, with ``-v0``), nothing else known to the agents than the planes.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import tyro
from matplotlib.figure import Figure
from scipy import stats

from benchmarks import players
from benchmarks.arguments import errors_in_a_line, seed_range, with_changes
from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.files import write_whole
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports.tables import table


class Anchors(NamedTuple):
    """Mean returns that others report after 5 million frames; None where they report none."""

    dqn_without_replay: float | None
    """Young and Tian (2019), "MinAtar", their figure; a convolutional net."""
    online_ac: float | None
    """Actor-critic with a trace of 0.8, online, a convolutional net; the same figure."""


GAMES = {
    "Breakout": Anchors(4, 17.5),
    "Asterix": Anchors(5.5, 19),
    "SpaceInvaders": Anchors(13, 185),
    "Freeway": Anchors(9, 47),
    "Seaquest": Anchors(None, None),
}
PLAYERS = "agent", "frozen", "random"
OF_CONTROLS = 500_000
"""Frames of those that do not learn, at most."""
POINTS = 250
"""Points of a curve: means of the episodes that ended in a part of the frames."""
AT_ONCE = 5
"""Seeds of one file."""

Record = dict[str, Any]


@dataclass(frozen=True)
class Args:
    """What to run."""

    game: str = ""
    """One of the games; empty for all, and their page."""
    seeds: str = "3190-3199"
    """First and last seed."""
    frames: int = 5_000_000
    """Env steps of every learner."""
    set: tuple[str, ...] = ()
    """Changes to the setting, such as plasticity.lr=0.5, of one game; learners alone run then, and are not written."""
    out: Path = Path("docs/results/minatar")
    """Folder for a file of each game, player and few seeds, and their pictures."""
    docs: Path = Path("docs/results/minatar.md")
    """The page."""


def played(game: str, player: str, seeds: tuple[int, ...], frames: int, changes: tuple[str, ...] = ()) -> list[Record]:
    """A record of every seed: its curve, and its last 100 episodes. player: agent, frozen or random."""
    made = replace(preset(f"MinAtar/{game}-v0", "rstdp-et"), seed=seeds[0])
    envs, config = players.prepared(replace(made, agent=with_changes(made.agent, changes)), len(seeds))
    if player == "random":
        who: Any = players.Random(envs.action_space, seeds)
    else:
        who = players.spiking(config, envs, seeds, frozen=player == "frozen")
    ended: list[list[tuple[int, float]]] = [[] for _ in seeds]
    start = time.perf_counter()
    for step, episodes in enumerate(players.episodes(who, envs, seeds, frames), 1):
        for episode in episodes:
            ended[episode.agent].append((step, episode.episode_return))
    us = 1e6 * (time.perf_counter() - start) / frames / len(seeds)
    return [
        {"seed": seed, **_summary(own, frames), "us_per_step": round(us, 1)}
        for seed, own in zip(seeds, ended, strict=True)
    ]


def _summary(ended: list[tuple[int, float]], frames: int) -> Record:
    steps, returns = (np.array(values) for values in zip(*ended, strict=True))
    part = np.minimum((steps - 1) * POINTS // frames, POINTS - 1)
    curve = [float(np.mean(returns[part == i])) if (part == i).any() else None for i in range(POINTS)]
    last = [float(value) for value in returns[-100:]]
    return {
        "episodes": len(returns), "final_mean": float(np.mean(last)), "last": last,
        "curve": [None if value is None else round(value, 3) for value in curve],
    }  # fmt: skip


def measured(game: str, player: str, args: Args) -> list[Record]:
    """Records of all seeds, as they are in files or, if they are in none, as they are found now."""
    seeds, found = seed_range(args.seeds), []
    frames = args.frames if player == "agent" else min(args.frames, OF_CONTROLS)
    for first in range(0, len(seeds), AT_ONCE):
        some = seeds[first : first + AT_ONCE]
        file = args.out / f"{game}_{player}_{frames}_{some[0]}-{some[-1]}.json"
        if file.exists():
            found += json.loads(file.read_text())
            continue
        records = played(game, player, some, frames)
        print(game, player, _means(records), flush=True)
        write_whole(file, json.dumps(records) + "\n")
        found += records
    return found


def _means(records: list[Record]) -> str:
    return ", ".join(f"{record['final_mean']:.2f}" for record in records)


def _mean(records: list[Record]) -> float:
    return float(np.mean([record["final_mean"] for record in records]))


def page(found: dict[str, dict[str, list[Record]]], args: Args) -> str:
    """The tables, and every seed."""
    lines, each = [], []
    for game, of in found.items():
        agent, frozen, chance = ([r["final_mean"] for r in of[player]] for player in PLAYERS)
        p = [stats.mannwhitneyu(agent, other, alternative="greater").pvalue for other in (frozen, chance)]
        low, high = stats.bootstrap((agent,), np.mean, rng=np.random.default_rng(0)).confidence_interval
        others = ["-" if value is None else f"{value:g}" for value in GAMES[game]]
        mean = f"{np.mean(agent):.1f} [{low:.1f}, {high:.1f}]"
        us = np.mean([record["us_per_step"] for record in of["agent"]])
        lines.append(
            [game, mean, f"{np.mean(frozen):.2f}", f"{np.mean(chance):.2f}", f"{max(p):.1g}", *others, f"{us:.0f}"]
        )
        each.append([game, *(f"{value:.1f}" for value in agent)])
    head = ["game", "agent", "frozen", "random", "p", "DQN without replay", "online AC(0.8)", "us a frame"]
    seeds = [str(seed) for seed in seed_range(args.seeds)]
    pictures = "\n\n".join(f"![{game}]({args.out.name}/{game}.png)" for game in found)
    return f"""# MinAtar

`python -m benchmarks.minatar`: the one setting of R-STDP-ET, one layer of spiking neurons, {args.frames:,} frames,
seeds {args.seeds}; all six actions, sticky ones. Mean return of the last 100 episodes; brackets are bootstrap 95 % intervals over
seeds. *Frozen*: the same networks with learning rates of zero, {OF_CONTROLS:,} frames. *p*: that the agents are no better than
frozen or random ones, the larger of two one-sided Mann-Whitney tests. The other two learn by backpropagation, in
convolutional networks, for 5 million frames (Young and Tian 2019).

{table(head, lines)}

Every seed:

{table(["game", *seeds], each)}

{pictures}
"""


def draw(game: str, of: dict[str, list[Record]], frames: int) -> Figure:
    """Every seed's curve, and their mean; that of frozen twins as a line."""
    figure = Figure(figsize=(7.0, 3.2), layout="constrained")
    axes = figure.subplots()
    steps = (np.arange(POINTS) + 0.5) * frames / POINTS / 1e6
    curves = np.array([record["curve"] for record in of["agent"]], dtype=float)
    axes.plot(steps, curves.T, color="tab:blue", alpha=0.35, linewidth=0.8)
    axes.plot(steps, np.nanmean(curves, 0), color="black", linewidth=1.5, label="agent, mean")
    axes.axhline(_mean(of["frozen"]), color="tab:orange", linewidth=1, label="frozen")
    bound = GAMES[game].dqn_without_replay
    if bound is not None:
        axes.axhline(bound, color="tab:green", linestyle=":", linewidth=1, label="DQN without replay")
    axes.set(title=game, xlabel="million frames", ylabel="return", xlim=(0, frames / 1e6))
    axes.legend(loc="upper left", fontsize="small")
    return figure


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run_all(tyro.cli(Args, args=argv, description=__doc__))


def run_all(args: Args) -> None:
    """Run, print and write all that was asked for."""
    if args.game:
        validate.one_of("game", args.game, tuple(GAMES))
    validate.require(bool(args.game) or not args.set, "`set` is for one `game`: the page is that of the one setting")
    torch.set_num_threads(1)
    flush_denormal()
    if args.set:
        print(args.game, _means(played(args.game, "agent", seed_range(args.seeds), args.frames, args.set)))
        return
    games = [args.game] if args.game else list(GAMES)
    found = {game: {player: measured(game, player, args) for player in PLAYERS} for game in games}
    if args.game:
        return
    for game, of in found.items():
        draw(game, of, args.frames).savefig(args.out / f"{game}.png", dpi=100)
    write_whole(args.docs, page(found, args))


if __name__ == "__main__":
    main()
