"""The spiking agent: acts, remembers what it did, and learns from the modulator. Populations share every call."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.backend import Backend, Policy
from rstdp_agents.agent.build import build_backend, build_parts
from rstdp_agents.agent.config import AgentConfig, BackendName
from rstdp_agents.agent.inference import InferenceStep
from rstdp_agents.agent.modulators import Modulator
from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.agent.plain import action_of, observation_of, seeds_of
from rstdp_agents.agent.statistics import Statistics
from rstdp_agents.agent.tensors import restore
from rstdp_agents.agent.window import normalised
from rstdp_agents.base import validate
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.decoders import Decoder
from rstdp_agents.codecs.encoders import Encoder
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.layer import Layer
from rstdp_agents.spiking.network import Network


class Agent:
    """Encoder -> spikes -> plastic layers -> population decoder, and a modulator; for ``(agents, envs)`` at once.

    seeds: one per agent; agents differ in nothing else. lr_scale: factor on the learning rates of each agent ``(agents,)``,
    of synapses and of exploration, 0 for a frozen twin; all ones if None. backend: ``fused`` for compiled code on the CPU,
    ``torch`` for any device, ``auto`` for fused where it can do what the configuration asks; or what makes one of the parts.
    encoder: one of your own, in place of the one that the observation space would get. threads: CPU threads over which the
    fused backend splits the agents where that pays. Raises ValueError for spaces that are not supported, and for ``fused``
    where it cannot.
    """

    def __init__(
        self, config: AgentConfig, observation_space: gym.Space, action_space: gym.Space, *, seeds: tuple[int, ...],
        envs: int = 1, lr_scale: Tensor | None = None, device: str = "cpu", dtype: torch.dtype = torch.float32,
        backend: BackendName | Callable[[AgentParts], Backend] = "auto", encoder: Encoder | None = None, threads: int = 1,
    ) -> None:  # fmt: skip
        self.config, self.agents, self.envs = config, len(seeds), envs
        self.spaces, self.device, self.dtype = (observation_space, action_space), torch.device(device), dtype
        self.parts = build_parts(
            config, observation_space, action_space, seeds=seeds, envs=envs, lr_scale=lr_scale, device=self.device,
            dtype=dtype, encoder=encoder,
        )  # fmt: skip
        self._policy: Policy | None = None
        self._backend = backend(self.parts) if callable(backend) else build_backend(self.parts, backend, threads)

    @property
    def backend(self) -> str:
        """The backend that runs: ``fused`` or ``torch``."""
        return self._backend.name

    def __repr__(self) -> str:
        sizes = " -> ".join(map(str, (self.parts.inputs, *self.network.sizes)))
        c, grid = self.config, f"{self.agents} agent(s) x {self.envs} env(s)"
        return f"Agent({c.rule}, {c.modulator}, {grid}, {sizes} {c.neuron.model} neurons, {self.backend})"

    @property
    def encoder(self) -> Encoder:
        """Observations to input rates."""
        return self.parts.encoder

    @property
    def decoder(self) -> Decoder:
        """Output spikes to actions."""
        return self.parts.decoder

    @property
    def network(self) -> Network:
        """The plastic layers, up to date; ask for them anew after every step."""
        self._backend.sync()
        return self.parts.network

    @property
    def layer(self) -> Layer:
        """The output layer, as `network`."""
        self._backend.sync()
        return self.parts.layer

    @property
    def modulator(self) -> Modulator:
        """Transitions to the third factor, as `network`."""
        self._backend.sync()
        return self.parts.modulator

    @property
    def random(self) -> AgentRandom:
        """The agents' own random numbers."""
        return self.parts.random

    @property
    def statistics(self) -> Statistics:
        """Sums over the windows since somebody last looked."""
        return self.parts.statistics

    @property
    def lr(self) -> Tensor:
        """Learning rates as they are now, ``(agents,)``."""
        return self.parts.lr

    @property
    def m(self) -> Tensor:
        """The last modulator, ``(agents, envs)``."""
        return self.parts.m

    @property
    def episodes(self) -> Tensor:
        """Episodes that ended, ``(agents,)``."""
        return self.parts.episodes

    def begin(self, obs: np.ndarray) -> np.ndarray:
        """First actions ``(agents, envs)`` of an experiment, for observations ``(agents, envs, *obs)``."""
        self.parts.anneal()
        return self._backend.begin(obs)

    def step(self, t: Transition) -> np.ndarray:
        """Learn from what came of the last actions, forget what ended, and choose the next actions ``(agents, envs)``."""
        return self._backend.step(t)

    def reset(self, done: np.ndarray) -> None:
        """Forget the episode in the envs where ``done (agents, envs)``; the others stay as they are, bit for bit."""
        self._backend.reset(done)

    def act(self, obs: Any, greedy: bool = False, agent: int = 0, mask: Any = None) -> Any:
        """The action of one agent of the population for one plain observation, both as the environment has them.

        Nothing is learnt, and the agent's state stays as it is: noise, and membranes where they are carried over from window to
        window, are those of a policy of its own. greedy: the most active action, in place of one drawn as in training. mask:
        ``info["action_mask"]`` of an environment that gives one; all actions are allowed if None. Raises ValueError for an
        observation that is not of the space, and for an agent that there is not.
        """
        validate.require(0 <= agent < self.agents, f"`agent` must be 0 to {self.agents - 1}; received {agent}")
        row = observation_of(self.spaces[0], self.parts.rows, obs, mask)
        self._policy = self._policy or self.policy(1, seeds_of(self.random))
        return action_of(
            self.spaces[1], self._policy.act(np.tile(row, (self.agents, 1, *[1] * row.ndim)), greedy)[agent]
        )

    def policy(self, envs: int, seeds: tuple[int, ...]) -> Policy:
        """The population at work, without learning, on the backend of the agent: see `backend.Policy`.

        envs: copies of the env per agent, whatever the agent trains in. seeds: one per agent, apart from those of training.
        """
        return self._backend.policy(envs, seeds)

    def coded(self, obs: np.ndarray) -> Tensor:
        """Input rates ``(agents, envs, pre)`` for observations ``(agents, envs, *obs)``."""
        return self.parts.coded(obs)

    def value(self, obs: np.ndarray) -> Tensor | None:
        """The critic's value ``(agents, envs)`` of observations ``(agents, envs, *obs)``; None without a critic."""
        return self.modulator.value(normalised(self.coded(obs)))

    def tensors(self) -> dict[str, Tensor]:
        """The whole state between two env steps, by name, as a checkpoint holds it; `load` takes it over."""
        self._backend.sync()
        return {**self.parts.tensors(), **self._backend.tensors()}

    def load(self, tensors: dict[str, Tensor], path: Path) -> None:
        """Go on where `tensors` was called. Raises CheckpointError naming the file `path` if they do not fit."""
        restore(self.tensors(), tensors, path)
        self.random.load_state(tensors["agent.random"])
        self.statistics.load_counts(tensors["agent.windows"])
        self.parts.anneal()

    def spikes(self) -> tuple[Tensor, ...]:
        """Spikes of the input and of every layer in the last window, ``(ticks, agents, envs, neurons)``; copies, as all below."""
        return tuple(spikes.clone() for spikes in self._backend.spikes())

    def features(self) -> Tensor:
        """Relative input rates of the last window, which sum to 1: what a critic sees, ``(agents, envs, pre)``."""
        return self._backend.features().clone()

    def weights(self) -> dict[str, Tensor]:
        """Weights of every layer by its name, ``(agents, *weight)``, as they are now: learning writes to `Layer.weight`."""
        return {layer.name: layer.weight.clone() for layer in self.network.layers}

    def eligibility(self, envs: slice = slice(None)) -> tuple[Tensor, ...]:
        """Eligibility of the output layer for each term of the rule, in some of the envs, ``(agents, envs, *weight)``."""
        self._backend.sync()
        return tuple(z.clone() for z in self.layer.eligibility(envs))

    def adopt(self, agents: slice, config: AgentConfig) -> None:
        """Let some agents have numbers of another configuration: the learning rate; on the fused backend all of `space.OWN`.

        They start as all others do; what ``config`` says of shapes, codes and first weights is not looked at.
        """
        other = self._another(config, (0,), self._backend.name)
        self.parts.lr[agents] = self.parts.lr_start[agents] = other.lr[0]
        self._backend.adopt(agents, other._backend)

    def single(self, index: int, frozen: bool = False) -> Agent:
        """A copy of one agent of the population with what it has learnt, on the torch backend, in a single env at rest.

        frozen: it goes through every motion of learning, so that eligibility and modulator can be watched, at a rate of zero.
        """
        still = (
            {
                "plasticity.lr": 0.0,
                "modulation.critic_lr": 0.0,
                "homeostasis.tau": math.inf,
                "network.hidden_tau": math.inf,
                "decoder.temperature_lr": 0.0,
                "decoder.exploration_lr": 0.0,
            }
            if frozen
            else {}
        )
        agent = self._another(override(self.config, still), (int(self.random.seeds[index]),), "torch")
        learnt = self.tensors()
        for name, tensor in agent.tensors().items():
            row = learnt[name][index : index + 1]
            if row.shape == tensor.shape:  # what is held per env stays at rest
                tensor.copy_(row)
        return agent

    def as_torch_module(self, index: int = 0, greedy: bool = False, seed: int | None = None) -> InferenceStep:
        """One agent's env step without learning, for serving; see `inference.InferenceStep` for the arguments."""
        return InferenceStep(self.single(index).parts, greedy, seed)

    def _another(self, config: AgentConfig, seeds: tuple[int, ...], backend: str) -> Agent:
        return Agent(
            config, *self.spaces, seeds=seeds, device=str(self.device), dtype=self.dtype,
            backend="fused" if backend == "fused" else "torch", encoder=self.encoder,
        )  # fmt: skip
