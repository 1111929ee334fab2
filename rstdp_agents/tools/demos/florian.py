"""One synapse under STDP, R-STDP and R-STDP-ET: the demonstration of Florian (2007) as a figure and its final weights.

python -m rstdp_agents.tools.demos.florian --out florian.png

The input fires at 10, 85, 115 and 135 ms, the output at 15, 75, 110 and 140 ms; the reward is +1 up to 100 ms, then -1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET, PairRule
from rstdp_agents.spiking.plasticity.online import online_tick
from rstdp_agents.spiking.plasticity.update import apply_update
from rstdp_agents.spiking.plasticity.window import pair_init, pair_kernels
from rstdp_agents.spiking.synapses import OneToOne
from rstdp_agents.tools.demos.command import command
from rstdp_agents.tools.demos.florian_figure import draw

SYNAPSE = OneToOne(1)


@dataclass(frozen=True)
class Demonstration:
    """The experiment; times in ms, one step per ms."""

    steps: int = 200
    """Number of steps; every series has one more entry, for the state before the first step."""
    pre_times: tuple[int, ...] = (10, 85, 115, 135)
    """Spikes of the input (ms)."""
    post_times: tuple[int, ...] = (15, 75, 110, 140)
    """Spikes of the output (ms)."""
    rewarded_until: int = 100
    """Reward is +1 up to this time (ms), -1 after it."""
    lr: float = 0.2
    """Learning rate."""
    tau: float = 20.0
    """Time constant of both spike traces (ms)."""
    tau_e: float = 25.0
    """Time constant of the eligibility trace (ms)."""
    w_start: float = 0.2
    """Weight before the first step."""
    dt: float = 1.0
    """Tick (ms)."""

    def spikes(self) -> tuple[Tensor, Tensor]:
        """Input and output, each ``(steps + 1,)`` of 0 and 1."""
        pre, post = torch.zeros(2, self.steps + 1, dtype=torch.float64)
        pre[list(self.pre_times)], post[list(self.post_times)] = 1.0, 1.0
        return pre, post

    def reward(self) -> Tensor:
        """``(steps + 1,)`` of +1 and -1."""
        return torch.where(torch.arange(self.steps + 1) <= self.rewarded_until, 1.0, -1.0).to(torch.float64)

    def rules(self) -> tuple[RSTDP, RSTDPET]:
        """R-STDP (and, with a constant reward of 1, STDP) and R-STDP-ET."""
        pairs = RSTDP(a_plus=1.0, a_minus=1.0, tau_plus=self.tau, tau_minus=self.tau)
        return pairs, RSTDPET(**asdict(pairs), tau_e=self.tau_e)


class Course(NamedTuple):
    """What one rule did, each ``(steps + 1,)``; entry t is the value after step t."""

    x: Tensor
    """Trace of the input."""
    y: Tensor
    """Trace of the output."""
    eligibility: Tensor
    """What the reward modulates: zeta of the step, or its trace z."""
    weight: Tensor


def course(p: Demonstration, rule: PairRule, reward: Tensor, *, lagged: bool) -> Course:
    """Learn online, tick by tick; ``lagged``: the reward modulates the eligibility of the step before."""
    pre, post = (spikes.reshape(-1, 1, 1, 1) for spikes in p.spikes())
    kernels = pair_kernels(rule, 1, p.dt, pre.device, pre.dtype)
    state = pair_init(SYNAPSE, rule, 1, 1, pre.device, pre.dtype)
    weight = torch.full((1, 1), p.w_start, dtype=pre.dtype)
    rows = []
    for t, m in enumerate(reward):
        window = slice(t, t + 1)
        dw, state = online_tick(
            SYNAPSE, kernels, pre[window], post[window], state, m.reshape(1, 1), lagged=lagged
        )  # fmt: skip
        apply_update(weight, p.lr * dw, -torch.inf, torch.inf)
        rows.append(torch.stack([state.x.sum(), state.y.sum(), state.z[0].sum(), weight.sum()]))
    return Course(*torch.stack(rows).T)


def run(p: Demonstration) -> dict[str, Course]:
    """The demonstration under each rule, and under R-STDP-ET with the reward one step late."""
    rstdp, rstdp_et = p.rules()
    reward = p.reward()
    return {
        "STDP": course(p, rstdp, torch.ones_like(reward), lagged=False),
        "MSTDP": course(p, rstdp, reward, lagged=False),
        "MSTDPET": course(p, rstdp_et, reward, lagged=False),
        "MSTDPET, lagged": course(p, rstdp_et, reward, lagged=True),
    }


def main(out: Path = Path("florian.png")) -> None:
    """Draw the demonstration and print the final weights.

    Args:
        out: file of the figure (PNG).
    """
    p = Demonstration()
    courses = run(p)
    for name, result in courses.items():
        print(f"{name:16} {result.weight[-1].item():.5f}")
    draw(*p.spikes(), p.reward(), courses, p.dt).savefig(out.expanduser(), dpi=150)
    print(f"figure: {out}")


if __name__ == "__main__":
    command(main, __doc__)
