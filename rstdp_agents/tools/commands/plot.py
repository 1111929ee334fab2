"""Draw the learning curves of one or several runs, finished or not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from rstdp_agents.base import validate
from rstdp_agents.tools.commands.arguments import parse
from rstdp_agents.training.episodes import RECENT_EPISODES
from rstdp_agents.training.reports import plots
from rstdp_agents.training.runs.reading import Axis, read_runs


@dataclass(frozen=True)
class Args:
    """Curves of the rolling mean return: mean over agents, and bootstrap 95 % interval if there are several."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Run folders."""
    axis: Axis = "steps"
    """The horizontal axis."""
    window: int = RECENT_EPISODES
    """Number of episodes in the rolling mean."""
    by: str = "folder"
    """One curve for each value of this: the folder, or any setting of a run, such as rule or plasticity.lr."""
    out: Path = Path("learning.png")
    """Picture to write; its extension gives the format (png, pdf, svg)."""

    def __post_init__(self) -> None:
        validate.require(bool(self.runs), "give at least one run folder")
        validate.positive("window", self.window, "episodes")


def main(argv: list[str]) -> int:
    """Draw and write the picture."""
    args = parse(Args, "plot", argv, __doc__)
    plots.write_figure(args.out, plots.learning_curves(read_runs(args.runs, args.by), args.axis, args.window))
    print(f"wrote {args.out}")
    return 0
