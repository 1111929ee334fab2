"""This library, torch path: a `Layer` with Bernoulli encoding, escape noise and homeostasis; and the whole training loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from benchmarks.peers import work
from benchmarks.peers.cartpole import CELLS, HIGH, LOW, WIDTH
from benchmarks.peers.work import Run, Size
from rstdp_agents.agent.config import BackendName
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.encoders import bernoulli
from rstdp_agents.equations.rate_control import HomeostasisParams
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.layer import Layer
from rstdp_agents.spiking.neurons import LIF
from rstdp_agents.spiking.plasticity import RSTDP, RSTDPET
from rstdp_agents.spiking.synapses import Linear
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset

DISTRIBUTION = "rstdp_agents"


def build(size: Size, device: str) -> Layer:
    """The layer of the contest; like the peers' it goes on from window to window."""
    weight = work.initial_weight(size).expand(size.agents, -1, -1).to(device, copy=True)
    pairs = 1.0, 1.0, work.TAU_PRE, work.TAU_POST
    rule = RSTDPET(*pairs, tau_e=work.TAU_E) if size.trace else RSTDP(*pairs)
    return Layer(
        "output", Linear(size.pre, size.post), weight, size.envs, neuron=LIF(tau_m=work.TAU_M), rule=rule,
        homeostasis=HomeostasisParams(), bounds=(-1.0, 1.0), ticks=size.ticks, dt=1.0, fresh_each_window=False,
    )  # fmt: skip


def prepare(size: Size, device: str = "cpu") -> work.EnvStep:
    layer = build(size, device)
    random = AgentRandom(tuple(range(size.agents)), layer.device, layer.dtype)
    rates = torch.ones(size.agents, size.envs, size.pre, device=device)
    reward = torch.randn(size.agents, size.envs, device=device)
    lr = torch.full((size.agents,), work.LR, device=device)

    def env_step() -> None:
        layer.learn(reward, lr)
        pre_uniform, post_uniform, _ = random.windows(size.envs, size.ticks, (size.pre, size.post))
        pre = bernoulli(rates, pre_uniform, work.DENSITY)
        post, layer.neurons = layer.forward(pre, post_uniform, layer.neurons)
        layer.remember(pre, post, None)

    env_step()  # loads compiled code
    return env_step


class Silent:
    """Takes the place of the monitor, and writes nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


def loop_config(**settings: Any) -> RunConfig:
    """The one setting on CartPole, with the place cells that all contestants have, and without drawings."""
    cells = {"code": "place-cells", "cells": CELLS, "width": WIDTH, "floor": 0.0, "low": LOW, "high": HIGH}
    changes = {f"agent.encoder.{name}": value for name, value in cells.items()}
    return override(preset("CartPole-v1", "rstdp-et"), {**changes, "images": 0, **settings})


def cartpole(metrics: bool, backend: BackendName = "torch", **settings: Any) -> Run:
    """`train.py` without its progress bar; only the loop is timed, without the checkpoint that ends it."""

    def run(steps: int) -> float:
        config = loop_config(total_steps=steps, progress=False, backend=backend, **settings)
        with TemporaryDirectory() as folder, Training(config, Path(folder)) as training:
            if not metrics:
                training.monitor.close(0)
                silent: Any = Silent()
                training.monitor = silent
            training.save = lambda envs=None: None
            start = time.perf_counter()
            training.run()
            return time.perf_counter() - start

    run(10)  # loads compiled code
    return run
