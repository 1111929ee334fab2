"""Failure modes of learning, each of which triggers a warning once, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

SILENT = 0.9
"""Share of silent neurons from which a layer counts as dead."""
SATURATED = 0.6
"""Share of the weights in use on a bound from which they count as saturated; a half may be all a task needs."""
RUNAWAY = 10.0
"""Largest value of a critic, in multiples of what episodes so far give reason to expect, before it counts as a runaway."""
OFF_TARGET = 0.25
"""Share by which a rate is off its target, from which homeostasis counts as not holding it."""
SETTLED = 5.0
"""Time constants of homeostasis after which rates should have settled."""
PATIENCE = 3
"""Checks in a row before a warning: transient states do not count."""


class Finding(NamedTuple):
    """A failure that was looked for."""

    wrong: Tensor
    """Which agents have it, ``(agents,)`` bool."""
    words: str
    """What is wrong, and which option to turn."""


class Health:
    """Counts findings from check to check, and warns of what `PATIENCE` checks in a row have found.

    A resumed run needs both: ``seen``, the number of checks in a row that found each failure, by name; and ``found``, the agents
    that have each failure now, by its words, of those that were warned of.
    """

    def __init__(self, seen: dict[str, int], found: dict[str, list[int]]) -> None:
        self.seen, self.found = seen, found

    def look(self, findings: Mapping[str, Finding]) -> list[str]:
        """Warnings that are due now."""
        due, self.found = [], {}
        for name, (wrong, words) in findings.items():
            before, is_wrong = self.seen.get(name, 0), bool(wrong.any())
            if before < PATIENCE:  # otherwise the warning was given
                self.seen[name] = before + 1 if is_wrong else 0
            if is_wrong and self.seen[name] == PATIENCE:
                self.found[words] = torch.nonzero(wrong).flatten().tolist()
                if before < PATIENCE:
                    due.append(f"{_who(self.found[words], len(wrong))} {words}")
        return due

    def of_agent(self, agent: int) -> list[str]:
        """Words for what is wrong with an agent now."""
        return [words for words, agents in self.found.items() if agent in agents]


def expectable(episode_return: float, length: int, gamma: float) -> float:
    """Size of the largest value that an episode of ``length`` steps gives reason to expect.

    Its return; or, if it is cut off before the horizon 1 / (1 - gamma), its mean reward for that long.
    """
    longer = 1.0 / ((1.0 - gamma) * length) if gamma < 1.0 else 1.0
    return abs(episode_return) * max(1.0, longer)


def symptoms(figures: Mapping[str, Tensor], scale: float, well: Tensor) -> dict[str, Finding]:
    """Failures that show inside of agents, by name.

    figures: of `measures.measures`. scale: the largest value that the critic has reason to expect. well: which agents do well,
    ``(agents,)`` bool; they may have all the weights on a bound that they need.
    """
    out = {}
    for tag, values in figures.items():
        values = values.cpu()
        if tag.startswith("activity/silent_frac/") and not tag.endswith("/input"):
            words = f"layer {tag.rpartition('/')[2]} is dead: {SILENT:.0%} or more of its neurons do not fire; raise "
            words += "--encoder.rate-max or --homeostasis.floor, or lower --neuron.v-th"
            out[tag] = Finding(values >= SILENT, words)
        if tag.startswith("learn/w_saturated_frac"):
            layer = tag.removeprefix("learn/w_saturated_frac").strip("/") or "output"
            words = f"weights of layer {layer} are saturated: {SATURATED:.0%} or more of those in use lie on a bound; lower "
            words += "--plasticity.lr or widen --plasticity.w-min and --plasticity.w-max"
            out[tag] = Finding((values >= SATURATED) & ~well, words)
    if "learn/critic_w_max" in figures:
        largest = figures["learn/critic_w_max"].cpu()
        words = "the critic runs away: it expects far more than episodes so far give reason to; lower --modulation.critic-lr "
        out["runaway"] = Finding(~(largest <= RUNAWAY * scale), words + "or --modulation.gamma")
    return out


def off_target(figures: Mapping[str, Tensor]) -> dict[str, Finding]:
    """Rates that homeostasis does not hold, by name; to be looked for once they should have settled."""
    out = {}
    for tag, values in figures.items():
        if tag.startswith("activity/rate_of_target/"):
            layer = tag.rpartition("/")[2]
            words = f"homeostasis does not hold the rate of layer {layer}, which is {OFF_TARGET:.0%} or more off its target; "
            words += "choose another --homeostasis.rate-target, or shorten --homeostasis.tau and --homeostasis.tau-rate"
            out[tag] = Finding((values.cpu() - 1.0).abs() >= OFF_TARGET, words)
    return out


def _who(agents: list[int], population: int) -> str:
    if population == 1:
        return "warning:"
    listed = ", ".join(map(str, agents[:5])) + (", ..." if len(agents) > 5 else "")
    return f"warning: agent {listed}:" if len(agents) == 1 else f"warning: {len(agents)} agents ({listed}):"
