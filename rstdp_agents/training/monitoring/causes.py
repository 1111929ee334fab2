"""Why agents do not learn: looked for once they should have, and only in those that do no better than at first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.training.episodes import FIRST_EPISODES, AgentRecord, EpisodeTracker
from rstdp_agents.training.monitoring.health import Finding

EARLIEST, SHARE = 5_000, 0.2
"""Env steps, and share of all env steps of a run, before which no agent is expected to have learnt."""
LIMIT = 0.9
"""Share of the highest rate that neurons can have from which a layer counts as firing at its limit."""
OUTSIDE = 0.2
"""Share of observations beyond the range of the encoder from which that counts as a cause."""
EXPLORE = (
    "let agents look for what is new (raise --modulation.novelty), explore more (lower --decoder.inverse-temperature, or raise "
    "--decoder.exploration of continuous actions), or expect more (--modulation.value-init)"
)


def is_due(step: int, total_steps: int) -> bool:
    """Whether a run has come so far that its agents should do better than at first."""
    return step >= max(EARLIEST, SHARE * total_steps)


def does_well(record: AgentRecord) -> bool:
    """Whether an agent has solved its task, or does clearly better than at first."""
    return record.solved_at_step is not None or record.has_improved is True


def causes(
    figures: Mapping[str, Tensor], tracker: EpisodeTracker, lr: Tensor, config: AgentConfig
) -> dict[str, Finding]:
    """The likeliest cause for every agent that does not learn, by name; an agent has one at most.

    figures: of `measures.measures`, and ``input/outside_frac`` of `range_watch`. lr: learning rates, ``(agents,)``.
    """
    left, out = torch.ones(len(tracker.records), dtype=torch.bool), {}
    for name, wrong, words in _candidates(figures, tracker, lr.cpu(), config):
        out[name] = Finding(wrong & left, f"nothing is learnt: {words}")
        left &= ~wrong
    return out


def _candidates(
    figures: Mapping[str, Tensor], tracker: EpisodeTracker, lr: Tensor, config: AgentConfig
) -> Iterator[tuple[str, Tensor, str]]:
    """Name, agents and words of each cause, the most certain first."""
    solved, stuck = (
        torch.tensor([kind(record) for record in tracker.records])
        for kind in (lambda record: record.solved_at_step is not None, lambda record: record.has_improved is False)
    )
    yield "still", lr == 0, "the learning rate is zero; raise --plasticity.lr"
    unrewarded = torch.from_numpy(tracker.unrewarded()) & ~solved
    yield "unrewarded", unrewarded, f"no reward has been seen yet, every return was zero; {EXPLORE}"
    alike = torch.tensor([_all_alike(record) for record in tracker.records]) & ~solved
    yield "alike", alike, f"every episode has brought the same return, so that no action seems better; {EXPLORE}"
    highest = highest_rate(config)
    fast = stuck & ~solved & (figures["activity/rate_hz/output"].cpu() >= LIMIT * highest)
    yield (
        "limit", fast, f"the output layer fires at its limit, {highest:.0f} Hz; lower --encoder.rate-max or "
        "--plasticity.w-max, or raise --neuron.v-th",
    )  # fmt: skip
    outside = figures["input/outside_frac"]
    far = stuck & ~solved & (outside >= OUTSIDE)
    share = f"{float(outside[far].mean()):.0%}" if far.any() else "many"
    yield (
        "outside", far, f"{share} of observations leave the range of the encoder, which cannot tell them apart there; "
        "set --encoder.low and --encoder.high",
    )  # fmt: skip


def highest_rate(config: AgentConfig) -> float:
    """Rate of a neuron that fires whenever it is not refractory (Hz); other neuron models than `lif` may stay below it."""
    dt = config.simulation.dt
    return 1000.0 / (dt * (1 + round(config.neuron.t_ref / dt)))


def _all_alike(record: AgentRecord) -> bool:
    return record.episodes >= FIRST_EPISODES and record.lowest == record.highest
