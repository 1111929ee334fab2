"""Networks of spiking neurons learn exclusive or from reward (Florian 2007), beside twins that cannot.

python -m rstdp_agents.tools.demos.xor --code temporal --rule rstdp-et --seeds 1000-1019

Every seed is a network, its frozen twin (learning rate 0) and a twin whose reward is unrelated to the pattern, all
with the same initial weights and input, and all in one process. A network passes if both patterns with different bits make
the output fire more than both with equal bits.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import torch
import tyro
from torch import Tensor
from tqdm import tqdm

from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET, PairRule
from rstdp_agents.tools.demos.command import command
from rstdp_agents.tools.demos.xor_network import Network, NetworkParams, Timing
from rstdp_agents.tools.demos.xor_task import BITS, TARGET, Code, Task

Rule = Literal["rstdp", "rstdp-et"]
CONDITIONS = ("trained", "frozen", "shuffled")
"""The twins of a seed: with reward, with learning rate 0, with random reward."""
SETUPS = {
    "rate": (
        Task("rate", inputs=60),
        NetworkParams(inputs=60, hidden=60, w_max=5.0, fixed_signs=True, timing="instant"),
    ),
    "temporal": (
        Task("temporal", inputs=2),
        NetworkParams(inputs=2, hidden=20, w_max=10.0, fixed_signs=False, timing="lagged"),
    ),
}
LEARNING_RATES = {
    ("rate", "rstdp"): 0.1,
    ("rate", "rstdp-et"): 0.625,
    ("temporal", "rstdp"): 0.01,
    ("temporal", "rstdp-et"): 0.25,
}
"""mV."""
CLEAR_HZ = 4.0
"""Margin of a clear pass: two spikes in a presentation of 500 ms."""
TEST_SEED = 1_000_000
"""Added to a network's seed for its test input."""


@dataclass(frozen=True)
class Args:
    """What to run."""

    code: Code = "rate"
    """How the bits are coded: firing rates or spike trains."""
    rule: Rule = "rstdp-et"
    """Learning rule: MSTDP (rstdp) or MSTDPET (rstdp-et)."""
    seeds: str = "1000-1019"
    """First and last seed; below 1000 for tuning, the others for reporting."""
    epochs: int = 200
    """Presentations of each pattern in training."""
    tests: int = 10
    """Presentations of each pattern in a test of the rate code; the temporal code has no noise and is tested once."""
    lr: float | None = None
    """Learning rate (mV); by default that of the code and rule."""
    timing: Timing | None = None
    """When a spike acts and what its reward meets; by default as tuned for the code (rate: instant, temporal: lagged)."""
    window: int = 10
    """Ticks (ms) between weight changes; 1 is the paper's online form, which is slow."""

    def __post_init__(self) -> None:
        validate.positive("epochs", self.epochs)
        validate.positive("tests", self.tests, "presentations")
        validate.not_negative("lr", 0.0 if self.lr is None else self.lr, "mV")
        validate.positive("window", self.window, "ticks")

    @property
    def seed_range(self) -> tuple[int, ...]:
        """Every seed."""
        first, _, last = self.seeds.partition("-")
        validate.require(
            first.isdigit() and (last or first).isdigit() and int(first) <= int(last or first),
            f"`seeds` must be first-last, for instance 1000-1019; received {self.seeds!r}",
        )
        return tuple(range(int(first), int(last or first) + 1))


@dataclass(frozen=True)
class Result:
    """Output rates in Hz, in the order of `BITS`."""

    seeds: tuple[int, ...]
    untrained: np.ndarray
    """``(seeds, 4)``, before training."""
    after: dict[str, np.ndarray]
    """``(seeds, 4)`` by condition, after training."""
    course: np.ndarray
    """``(epochs, conditions, 4)``: mean over seeds during training."""


def margin(rates: np.ndarray) -> np.ndarray:
    """How much more (Hz) the weaker pattern with different bits makes the output fire than the stronger with equal bits.

    rates: ``(..., 4)``. A network passes if this is above 0.
    """
    wanted = np.array(TARGET) > 0
    return rates[..., wanted].min(-1) - rates[..., ~wanted].max(-1)


def clear(rates: np.ndarray) -> np.ndarray:
    """Whether every wanted rate is at least twice, and `CLEAR_HZ` above, every unwanted one. rates: ``(..., 4)``, Hz."""
    wanted = np.array(TARGET) > 0
    return (rates[..., wanted].min(-1) >= 2 * rates[..., ~wanted].max(-1)) & (margin(rates) >= CLEAR_HZ)


def build_rule(name: Rule) -> PairRule:
    """MSTDP or MSTDPET with the time constants and amplitudes of the paper."""
    pairs = RSTDP(a_plus=1.0, a_minus=1.0, tau_plus=20.0, tau_minus=20.0)
    return pairs if name == "rstdp" else RSTDPET(**asdict(pairs), tau_e=25.0)


def twins(per_seed: Tensor) -> Tensor:
    """Spikes ``(ticks, seeds, envs, inputs)`` for the twins of all conditions, ``(ticks, conditions * seeds, ...)``."""
    return per_seed.repeat(1, len(CONDITIONS), 1, 1)


def measure(network: Network, task: Task, symbols: Tensor, seeds: tuple[int, ...], repeats: int) -> np.ndarray:
    """Output rates in Hz ``(conditions, seeds, 4)``, without learning; the same input at every call."""
    random = AgentRandom(tuple(seed + TEST_SEED for seed in seeds), symbols.device, symbols.dtype)
    pattern = torch.arange(len(BITS)).repeat(len(seeds), repeats)
    spikes = network.respond(twins(task.present(pattern, symbols, random))).sum(0)
    counts = spikes.reshape(len(CONDITIONS), len(seeds), repeats, len(BITS)).mean(2)
    return (counts / (task.duration / 1000.0)).numpy()


def train_epoch(network: Network, task: Task, symbols: Tensor, random: AgentRandom, target: Tensor) -> np.ndarray:
    """Present every pattern once, in a random order for each seed; output rates in Hz ``(conditions, seeds, 4)``."""
    order, others = random.uniform(2 * len(BITS)).reshape(-1, 2, len(BITS)).argsort(-1).unbind(1)
    rates = torch.zeros(len(CONDITIONS), *order.shape)
    for pattern, other in zip(order.split(1, 1), others.split(1, 1), strict=True):
        reward = torch.cat([target[other if condition == "shuffled" else pattern] for condition in CONDITIONS])
        output = network.learn(twins(task.present(pattern, symbols, random)), reward)
        counts = output.sum(0).reshape(len(CONDITIONS), -1, 1)
        rates.scatter_(2, pattern.expand(len(CONDITIONS), -1, -1), counts / (task.duration / 1000.0))
    return rates.numpy()


@torch.no_grad()
def experiment(args: Args, setup: tuple[Task, NetworkParams] | None = None, quiet: bool = False) -> Result:
    """Train and test all seeds and their twins."""
    task, p = setup or SETUPS[args.code]
    p = replace(p, window=args.window, timing=args.timing or p.timing)
    seeds, repeats = args.seed_range, args.tests if args.code == "rate" else 1
    random = AgentRandom(seeds, torch.device("cpu"), torch.float32)
    lr = LEARNING_RATES[args.code, args.rule] if args.lr is None else args.lr
    scale = torch.tensor([0.0 if condition == "frozen" else lr for condition in CONDITIONS])
    network = Network(p, build_rule(args.rule), scale.repeat_interleave(len(seeds)), random, task.dt)
    symbols, target = task.symbols(random), torch.tensor(TARGET)
    untrained = measure(network, task, symbols, seeds, repeats)[0]
    course = [
        train_epoch(network, task, symbols, random, target).mean(1)
        for _ in tqdm(range(args.epochs), mininterval=5, disable=quiet)
    ]
    after = measure(network, task, symbols, seeds, repeats)
    return Result(seeds, untrained, dict(zip(CONDITIONS, after, strict=True)), np.array(course))


def summary(result: Result) -> str:
    """A table: how many networks pass, how many clearly, and by what margin."""
    n = len(result.seeds)
    lines = ["| networks | pass | clear (2:1) | margin, mean (Hz) | rates of 00, 01, 10, 11 (Hz) |", "|" + " --- |" * 5]
    for name, rates in {"untrained": result.untrained, **result.after}.items():
        means = ", ".join(f"{rate:.1f}" for rate in rates.mean(0))
        passed, clearly = (margin(rates) > 0).sum(), clear(rates).sum()
        lines.append(f"| {name} | {passed}/{n} | {clearly}/{n} | {margin(rates).mean():.1f} | {means} |")
    return "\n".join(lines)


def main(args: tyro.conf.OmitArgPrefixes[Args]) -> None:
    """Run one experiment and print its table."""
    torch.set_num_threads(1)
    flush_denormal()
    print(summary(experiment(args)))


if __name__ == "__main__":
    command(main, __doc__)
