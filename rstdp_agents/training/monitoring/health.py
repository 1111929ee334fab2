"""Failure modes of learning, each of which triggers a warning once."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

SILENT = 0.9
"""Share of silent neurons from which a layer counts as dead."""
SATURATED = 0.6
"""Share of the weights in use on a bound from which they count as saturated; a half may be all a task needs."""
RUNAWAY = 10.0
"""Largest value of a critic, in multiples of the largest return so far, before it counts as a runaway."""
PATIENCE = 3
"""Checks in a row before a warning: transient states do not count."""


class Health:
    """Checks `measures.measures` from time to time, and warns of what it has found `PATIENCE` times in a row."""

    def __init__(self, seen: dict[str, int]) -> None:
        self.seen = seen
        """Number of checks in a row that found each failure, by name: a resumed run needs it."""

    def look(self, figures: Mapping[str, Tensor], scale: float) -> list[str]:
        """Warnings that are due now. scale: the largest value that the critic has reason to expect."""
        due = []
        for name, (wrong, words) in symptoms(figures, scale).items():
            before = self.seen.get(name, 0)
            if before < PATIENCE:  # otherwise the warning was given
                self.seen[name] = before + 1 if bool(wrong.any()) else 0
                if self.seen[name] == PATIENCE:
                    due.append(f"{_who(wrong)} {words}")
        return due


def symptoms(figures: Mapping[str, Tensor], scale: float) -> dict[str, tuple[Tensor, str]]:
    """Failures by name: which agents have it, ``(agents,)`` bool, and the text of the warning."""
    out = {}
    for tag, values in figures.items():
        if tag.startswith("activity/silent_frac/") and not tag.endswith("/input"):
            words = f"layer {tag.rpartition('/')[2]} is dead: {SILENT:.0%} or more of its neurons do not fire; raise "
            out[tag] = values >= SILENT, words + "--encoder.rate-max or --homeostasis.lr, or lower --neuron.v-th"
        if tag.startswith("learn/w_saturated_frac"):
            layer = tag.removeprefix("learn/w_saturated_frac").strip("/") or "output"
            words = f"weights of layer {layer} are saturated: {SATURATED:.0%} or more of those in use lie on a bound; lower "
            out[tag] = values >= SATURATED, words + "--plasticity.lr or widen --plasticity.w-min and --plasticity.w-max"
    if "learn/critic_w_max" in figures:
        largest = figures["learn/critic_w_max"]
        words = "the critic runs away: it expects far more than any return so far; lower --modulation.critic-lr "
        out["runaway"] = ~(largest <= RUNAWAY * scale), words + "or --modulation.gamma"
    return out


def _who(wrong: Tensor) -> str:
    agents = torch.nonzero(wrong).flatten().tolist()
    if len(wrong) == 1:
        return "warning:"
    listed = ", ".join(map(str, agents[:5])) + (", ..." if len(agents) > 5 else "")
    return f"warning: agent {listed}:" if len(agents) == 1 else f"warning: {len(agents)} agents ({listed}):"
