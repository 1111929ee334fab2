"""Decisions in NeuroGym's tasks: psychometric curves, reaction times, and controls, in both regimes.

python -m benchmarks.decisions                                           five tasks, with their page; goes on where it ended
python -m benchmarks.decisions --task GoNogo --seeds 100-103 --steps 5000     one of them, printed

Every trial lasts as many milliseconds as NeuroGym says, 100 of them an env step, and asks for an action when its stimulus is
gone. All learners see every number of the observation and its leaky trace (`variants.Traces`); without the trace is a control.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
import tyro

from benchmarks import choices, decisions_report, players, sb3
from benchmarks.arguments import errors_in_a_line, seed_range
from benchmarks.choices import Choice
from benchmarks.pool import TRIALS, VARIANTS, PoolTask
from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.files import write_whole
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.config import Regime, source_of
from rstdp_agents.training.episodes import EpisodeTracker
from rstdp_agents.training.interaction import Interaction
from rstdp_agents.training.presets import preset
from rstdp_agents.training.ranged import with_range

STEPS = 30_000
"""Env steps of each learner."""
LIMIT = 100
"""Env steps of an episode: 10 s, in which three to seven trials end."""
LATE = 5
"""The last trials count: those of one in so many env steps. Controls, which do not learn, play for so long."""
UNTRACED = 3
"""One in so many env steps is played without the trace, too."""
CURVE = 30
"""Points of a learning curve."""
FEW = 3
"""Seeds of PPO."""
TASKS: dict[str, tuple[str, ...]] = {
    "PerceptualDecisionMaking": (),
    "ContextDecisionMaking": ("use_expl_context:True",),
    "DelayMatchSample": (),
    "GoNogo": (),
    "ReachingDelayResponse": (),
}
"""Arguments of each task, but for its time step."""
Ended: TypeAlias = "list[tuple[int, Choice]]"
"""Trials of one seed, and the env step in which each ended."""


@dataclass(frozen=True)
class Args:
    """What to run."""

    task: str = ""
    """Name in NeuroGym, without its version; empty for all five, with their page."""
    seeds: str = "3020-3029"
    """First and last seed of own players; PPO has the first three."""
    steps: int = STEPS
    """Env steps of each learner."""
    out: Path = Path("docs/results/decisions")
    """Folder of the files of all tasks; the page lies beside it."""


@dataclass(frozen=True)
class Who:
    """Who decides."""

    kind: Literal["agent", "frozen", "random", "ppo"]
    regime: Regime = "fast"
    traced: bool = True
    """Whether it sees traces of what was seen."""

    @property
    def name(self) -> str:
        """As in files and tables."""
        parts = [self.kind, *[self.regime] * (self.kind in ("agent", "frozen")), *["no trace"] * (not self.traced)]
        return ", ".join(parts)

    @property
    def learns(self) -> bool:
        return self.kind in ("agent", "ppo")

    def steps(self, of: int) -> int:
        """Env steps that it plays."""
        return of // (UNTRACED if not self.traced else 1 if self.learns else LATE)


PLAYERS = (
    Who("agent"), Who("agent", "cortical"), Who("ppo"), Who("frozen"), Who("frozen", "cortical"), Who("random"),
    Who("agent", traced=False), Who("agent", "cortical", traced=False), Who("ppo", traced=False),
)  # fmt: skip


def task_of(name: str, who: Who, steps: int) -> PoolTask:
    """A task as a player meets it."""
    wrapper = ("benchmarks.choices:Choices", *(f"{VARIANTS}Traces" for _ in range(who.traced)))
    return PoolTask("NeuroGym", "choice", f"neurogym:{name}-v0", steps, (*TRIALS, *TASKS[name]), wrapper, LIMIT)


def decide(name: str, who: Who, seeds: tuple[int, ...], steps: int) -> dict[str, Any]:
    """What a player did. Raises ValueError where it, or the task, needs a package that is absent."""
    task = task_of(name, who, steps)
    if who.kind == "ppo":
        return outcome([_of_ppo(task, seed) for seed in seeds], seeds, who, steps)
    made = replace(task.run(preset(task.env, "rstdp-et", regime=who.regime)), seed=seeds[0], progress=False)
    source, kwargs = source_of(made)
    envs = SerialGrid(source, kwargs, len(seeds), 1, keywords=choices.KEYWORDS)
    config = with_range(made, envs.observation_space, source, kwargs).agent
    agent = None if who.kind == "random" else players.spiking(config, envs, seeds, frozen=who.kind == "frozen")
    interaction = Interaction(
        agent or players.Random(envs.action_space, seeds),
        envs,
        EpisodeTracker(len(seeds), 1, None, len(choices.KEYWORDS)),
    )
    interaction.begin(seeds)
    ended: list[Ended] = [[] for _ in seeds]
    for step in range(1, steps + 1):
        info = interaction.step(step)[0].info
        assert info is not None
        for i in np.flatnonzero(~np.isnan(info[:, 0, 0])):
            ended[i].append((step, Choice(*info[i, 0].tolist())))
        if agent and step == first_of_last(who, steps):
            agent.statistics.clear()
    envs.close()
    found = outcome(ended, seeds, who, steps)
    if agent:
        hertz = 1000.0 / agent.layer.window_ms / agent.statistics.windows
        found |= {"window_ms": agent.layer.window_ms, "hz": (agent.statistics.spikes[-1].mean(1) * hertz).tolist()}
    return found


def _of_ppo(task: PoolTask, seed: int) -> Ended:
    source, kwargs = source_of(task.run(preset(task.env, "rstdp-et")))
    ended: Ended = []

    def note(step: int, info: dict[str, Any]) -> None:
        if info["new_trial"] and step <= task.steps:
            ended.append((step, Choice(*(info[key] for key in choices.KEYWORDS))))

    sb3.learn("ppo", source, kwargs, seed, task.steps, note)
    return ended


def first_of_last(who: Who, steps: int) -> int:
    """The env step after which trials count."""
    return steps - steps // LATE if who.learns else 0


def outcome(ended: list[Ended], seeds: tuple[int, ...], who: Who, steps: int) -> dict[str, Any]:
    """Figures of every seed, as plain JSON."""
    late = [[c for step, c in trials if step > first_of_last(who, steps)] for trials in ended]
    return {
        "seeds": list(seeds), "steps": steps,
        "trials": [len(trials) for trials in ended],
        "late_trials": [len(trials) for trials in late],
        "curve": [curve(trials, steps) for trials in ended] if who.learns else [],
        "correct": [float(np.mean([c.correct for c in trials])) for trials in late],
        "chosen": [by_coherence(trials) for trials in late],
        "reactions": [by_reaction(trials) for trials in late],
    }  # fmt: skip


def curve(trials: Ended, steps: int) -> list[float | None]:
    """Mean of what was correct, in every thirtieth of the env steps; None where no trial ended."""
    parts: list[list[float]] = [[] for _ in range(CURVE)]
    for step, c in trials:
        parts[(step - 1) * CURVE // steps].append(c.correct)
    return [round(float(np.mean(part)), 4) if part else None for part in parts]


def by_coherence(trials: list[Choice]) -> dict[str, list[int]]:
    """At every signed coherence, trials with a response, and how many of the responses were right; empty without coherences."""
    out: dict[str, list[int]] = {}
    for c in sorted((c for c in trials if c.action and not np.isnan(c.coherence)), key=lambda c: c.coherence):
        entry = out.setdefault(f"{c.coherence:g}", [0, 0])
        entry[0] += 1
        entry[1] += c.action == choices.RIGHT
    return out


def by_reaction(trials: list[Choice]) -> dict[str, int]:
    """Responses by the time from the start of the decision period on (ms)."""
    counts = Counter(int(c.reaction) for c in trials if not np.isnan(c.reaction))
    return {str(time): counts[time] for time in sorted(counts)}


def measure(name: str, args: Args, file: Path | None) -> dict[str, Any]:
    """All players of a task; those that a file has, made from the same, are not run again."""
    seeds, made = (
        seed_range(args.seeds),
        {"task": name, "seeds": args.seeds, "steps": args.steps, "arguments": TASKS[name]},
    )
    made = json.loads(json.dumps(made))
    there = json.loads(file.read_text()) if file and file.exists() else {}
    found = there if there.items() >= made.items() else {**made, "players": {}}
    skipped: dict[str, str] = {}
    for who in PLAYERS:
        if who.name in found["players"]:
            continue
        try:
            own = seeds[:FEW] if who.kind == "ppo" else seeds
            found["players"][who.name] = {**asdict(who), **decide(name, who, own, who.steps(args.steps))}
        except ValueError as error:
            if who.kind != "ppo":
                raise
            skipped[who.name] = str(error)
        print(name, who.name, f"skipped: {skipped[who.name]}" if who.name in skipped else "", flush=True)
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(file, json.dumps(found) + "\n")
    return found | {"skipped": skipped}


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run(tyro.cli(Args, args=argv, description=__doc__))


def run(args: Args) -> None:
    """Measure, print and write what was asked for."""
    if args.task:
        validate.one_of("task", args.task, tuple(TASKS))
    validate.positive("steps", args.steps // CURVE)
    torch.set_num_threads(1)
    flush_denormal()
    results = []
    for name in TASKS:
        if args.task in ("", name):
            results.append(measure(name, args, None if args.task else args.out / f"{name}.json"))
            print(decisions_report.figures(results[-1]), flush=True)
    if not args.task:
        words = {"command": f"python -m benchmarks.decisions --seeds {args.seeds}", "limit": str(LIMIT)}
        decisions_report.write(args.out, results, words)


if __name__ == "__main__":
    main()
