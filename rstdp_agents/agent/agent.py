"""The spiking agent: acts, remembers what it did, and learns from the modulator. Populations share every call."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent import memory
from rstdp_agents.agent.build import build_network, network_synapses
from rstdp_agents.agent.config import AgentConfig, Backend
from rstdp_agents.agent.fused.backend import FusedEngine, why_not
from rstdp_agents.agent.fused.policy import FusedPolicy
from rstdp_agents.agent.modulators import Modulator, Step, build_modulator
from rstdp_agents.agent.policy import FrozenPolicy, action_of, observation_of, seeds_of
from rstdp_agents.agent.spiking_critic import SpikingCritic
from rstdp_agents.agent.statistics import Statistics
from rstdp_agents.agent.tensors import restore
from rstdp_agents.agent.window import Window
from rstdp_agents.base import compiled, plugins, validate
from rstdp_agents.base.settings import override
from rstdp_agents.codecs.decoders import Decoder
from rstdp_agents.codecs.decoders.build import build_decoder, check_mask
from rstdp_agents.codecs.encoders import Encoder, poisson
from rstdp_agents.codecs.encoders.base import Precise, computable
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.encoders.images import image_shape
from rstdp_agents.codecs.encoders.options import EncoderConfig
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.neurons import State
from rstdp_agents.spiking.plasticity import build_rule

if TYPE_CHECKING:
    from rstdp_agents.agent.inference import InferenceStep

logger = logging.getLogger(__name__)

LOOK_EVERY = 10
"""Windows between two that the torch path counts in its statistics; the fused path counts all."""


class Agent:
    """Encoder -> spikes -> plastic layers -> population decoder, and a modulator; for ``(agents, envs)`` at once.

    seeds: one per agent; agents differ in nothing else. lr_scale: factor on the learning rate of each agent
    ``(agents,)``, 0 for a frozen twin; all ones if None. backend: ``fused`` for compiled code on the CPU, ``torch`` for any
    device, ``auto`` for fused where it can do what the configuration asks. encoder: one of your own, in place of the one that
    the observation space would get. threads: CPU threads over which the fused backend splits the agents where that pays.
    Raises ValueError for spaces that are not supported, and for ``fused`` where it cannot.
    """

    def __init__(
        self, config: AgentConfig, observation_space: gym.Space, action_space: gym.Space, *, seeds: tuple[int, ...],
        envs: int = 1, lr_scale: Tensor | None = None, device: str = "cpu", dtype: torch.dtype = torch.float32,
        backend: Backend = "auto", encoder: Encoder | None = None, threads: int = 1,
    ) -> None:  # fmt: skip
        self.config, self.agents, self.envs = config, len(seeds), envs
        self.spaces, self.device, self.dtype = (observation_space, action_space), torch.device(device), dtype
        memory.require_encoder(config.encoder)
        self.encoder = (encoder or _encoder(observation_space, config.encoder)).to(self.device, dtype)
        decoder: Decoder = (
            plugins.build("--decoder", config.decoder.code, Decoder, action_space, config.decoder)
            if plugins.is_plugin(config.decoder.code)
            else build_decoder(action_space, config.decoder)
        )
        self.decoder = decoder.to(self.device, dtype)
        self.rows = Rows(observation_space)
        check_mask(self.rows, self.decoder)
        self.p_max = config.encoder.rate_max * config.simulation.dt / 1000.0
        synapses = network_synapses(config, image_shape(self.encoder), self.decoder.size)
        rule = build_rule(config.rule, config.plasticity)
        memory.require_agents(config, synapses, rule, self.agents, envs, dtype.itemsize)
        self.random = AgentRandom(seeds, self.device, dtype)
        self.network = build_network(config, image_shape(self.encoder), self.decoder.size, envs, self.random)
        self.layer = self.network.output
        features = (self.agents, envs, self.encoder.size)
        self.modulator: Modulator = (
            SpikingCritic(config, features, self.random)
            if config.modulator == "td-spiking"
            else build_modulator(config.modulator, config.modulation, features, self.device, dtype)
        )
        scale = torch.ones(self.agents) if lr_scale is None else lr_scale
        self.lr = (config.plasticity.lr * scale).to(self.device, dtype)
        self._lr_start = self.lr.clone()
        self.episodes = torch.zeros(self.agents, device=self.device, dtype=dtype)
        self.m = torch.zeros(self.agents, envs, device=self.device, dtype=dtype)
        self.statistics = Statistics(self.agents, (self.encoder.size, *self.network.sizes), self.device)
        self._nobody = torch.zeros_like(self.m)
        self._window: Window
        self._features = torch.zeros(features, device=self.device, dtype=dtype)
        self._windows = 0
        self._policy: FrozenPolicy | None = None
        self._fused = self._fused_engine(backend, seeds, threads)

    @property
    def backend(self) -> Backend:
        """The backend that runs: ``fused`` or ``torch``."""
        return "fused" if self._fused else "torch"

    def __repr__(self) -> str:
        sizes = " -> ".join(map(str, (self.encoder.size, *self.network.sizes)))
        c, grid = self.config, f"{self.agents} agent(s) x {self.envs} env(s)"
        return f"Agent({c.rule}, {c.modulator}, {grid}, {sizes} {c.neuron.model} neurons, {self.backend})"

    def begin(self, obs: np.ndarray) -> np.ndarray:
        """First actions ``(agents, envs)`` of an experiment, for observations ``(agents, envs, *obs)``."""
        self._anneal()
        if self._fused:
            return self._fused.begin(obs)
        return self._act(self.coded(obs), self.allowed(obs))

    def step(self, t: Transition) -> np.ndarray:
        """Learn from what came of the last actions, forget what ended, and choose the next actions ``(agents, envs)``."""
        action = self._fused.step(t) if self._fused else self._step(t)
        if t.any_done:
            self.episodes += self.tensor((t.terminated | t.truncated).sum(1))
            self._anneal()
        return action

    def respond(
        self, rates: Tensor, random: AgentRandom, neurons: tuple[State, ...]
    ) -> tuple[Window, tuple[State, ...]]:
        """Simulate one window for input rates ``(agents, envs, pre)``; changes nothing but the generators."""
        envs, ticks = rates.shape[1], self.config.simulation.ticks
        sizes = self.encoder.size, *self.network.sizes
        of_input, *of_layers, choice = random.windows(envs, ticks, sizes, self.decoder.numbers)
        spikes, neurons = self.network.forward(poisson(rates, of_input, self.p_max), of_layers, neurons)
        return Window(spikes, self.decoder.rates(spikes[-1]), choice), neurons

    def reset(self, done: np.ndarray) -> None:
        """Forget the episode in the envs where ``done (agents, envs)``; the others stay as they are, to the bit."""
        if self._fused:
            self._fused.sync()
        mask = torch.as_tensor(done, dtype=torch.bool, device=self.device)
        self.network.reset(mask)
        self.modulator.reset(mask)

    def value(self, obs: np.ndarray) -> Tensor | None:
        """The critic's value ``(agents, envs)`` of observations ``(agents, envs, *obs)``; None without a critic."""
        return self.modulator.value(normalised(self.coded(obs)))

    def tensors(self) -> dict[str, Tensor]:
        """The whole state between two env steps, by name, as a checkpoint holds it; `load` takes it over."""
        if self._fused:
            self._fused.sync()
        own = {
            "agent.episodes": self.episodes,
            "agent.features": self._features,
            "agent.random": self.random.state(),
            "agent.windows": torch.tensor([[self._windows, self.statistics.windows]]).repeat(self.agents, 1),
        }
        fused = self._fused.tensors() if self._fused else {}
        return {**self.network.tensors(), **self.modulator.tensors(), **self.statistics.tensors(), **own, **fused}

    def load(self, tensors: dict[str, Tensor], path: Path) -> None:
        """Go on where `tensors` was called. Raises CheckpointError naming the file `path` if they do not fit."""
        restore(self.tensors(), tensors, path)
        self.random.load_state(tensors["agent.random"])
        self._windows, self.statistics.windows = tensors["agent.windows"][0].tolist()
        self._anneal()

    def spikes(self) -> tuple[Tensor, ...]:
        """Spikes of the input and of every layer in the last window, ``(ticks, agents, envs, neurons)``; copies, as all below."""
        return tuple(spikes.clone() for spikes in (self._fused.spikes() if self._fused else self._window.spikes))

    def features(self) -> Tensor:
        """Relative input rates of the last window, which sum to 1: what a critic sees, ``(agents, envs, pre)``."""
        return normalised(torch.from_numpy(self._fused.arrays["rates"])) if self._fused else self._features.clone()

    def weights(self) -> dict[str, Tensor]:
        """Weights of every layer by its name, ``(agents, *weight)``, as they are now: learning writes to `Layer.weight`."""
        return {layer.name: layer.weight.clone() for layer in self.network.layers}

    def eligibility(self, envs: slice = slice(None)) -> tuple[Tensor, ...]:
        """Eligibility of the output layer for each half of the rule, in some of the envs, ``(agents, envs, *weight)``."""
        if self._fused:
            self._fused.sync()
        return tuple(z.clone() for z in self.layer.eligibility(envs))

    def fused_policy(self, envs: int, seeds: tuple[int, ...]) -> FusedPolicy | None:
        """Compiled code for a `policy.FrozenPolicy` of this agent; None on the torch path."""
        return FusedPolicy(self._fused, envs, seeds) if self._fused else None

    def adopt(self, agents: slice, config: AgentConfig) -> None:
        """Let some agents have numbers of another configuration: the learning rate; on the fused backend all of `search.OWN`.

        They start as all others do; what ``config`` says of shapes, codes and first weights is not looked at.
        """
        device, backend = str(self.device), self.backend
        other = Agent(
            config, *self.spaces, seeds=(0,), device=device, dtype=self.dtype, backend=backend, encoder=self.encoder
        )
        self.lr[agents] = self._lr_start[agents] = other.lr[0]
        if self._fused and other._fused:
            self._fused.adopt(agents, other._fused)

    def alone(self, index: int, frozen: bool = False) -> Agent:
        """A copy of one agent of the population with what it has learnt, on the torch backend, in a single env at rest.

        frozen: it goes through every motion of learning, so that eligibility and modulator can be watched, at a rate of zero.
        """
        seed = int(self.random.seeds[index])
        still = {"plasticity.lr": 0.0, "modulation.critic_lr": 0.0, "homeostasis.lr": 0.0} if frozen else {}
        agent = Agent(
            override(self.config, still), *self.spaces, seeds=(seed,), device=str(self.device), dtype=self.dtype, backend="torch",
            encoder=self.encoder,
        )  # fmt: skip
        learnt = self.tensors()
        for name, tensor in agent.tensors().items():
            row = learnt[name][index : index + 1]
            if row.shape == tensor.shape:  # what is held per env stays at rest
                tensor.copy_(row)
        return agent

    def act(self, obs: Any, greedy: bool = False, agent: int = 0, mask: Any = None) -> Any:
        """The action of one agent of the population for one plain observation, both as the environment has them.

        Nothing is learnt, and the agent's state stays as it is: noise, and membranes where they are carried over from window to
        window, are those of a policy of its own. greedy: the most active action, in place of one drawn as in training. mask:
        ``info["action_mask"]`` of an environment that gives one; all actions are allowed if None. Raises ValueError for an
        observation that is not of the space, and for an agent that there is not.
        """
        validate.require(0 <= agent < self.agents, f"`agent` must be 0 to {self.agents - 1}; received {agent}")
        row = observation_of(self.spaces[0], self.rows, obs, mask)
        self._policy = self._policy or FrozenPolicy(self, 1, seeds_of(self))
        return action_of(
            self.spaces[1], self._policy.act(np.tile(row, (self.agents, 1, *[1] * row.ndim)), greedy)[agent]
        )

    def as_torch_module(self, index: int = 0, greedy: bool = False, seed: int | None = None) -> InferenceStep:
        """One agent's env step without learning, for serving; see `export.module.InferenceStep` for the arguments."""
        from rstdp_agents.agent.inference import InferenceStep  # which needs this file

        return InferenceStep(self.alone(index), greedy, seed)

    def allowed(self, obs: np.ndarray) -> Tensor | None:
        """The actions that ``obs`` allows, bool ``(agents, envs, actions)``; None where they are not masked."""
        allowed = self.rows.allowed(obs)
        return None if allowed is None else torch.as_tensor(allowed, device=self.device)

    def coded(self, obs: np.ndarray) -> Tensor:
        """Input rates ``(agents, envs, pre)`` for observations ``(agents, envs, *obs)``."""
        seen = torch.as_tensor(computable(obs)) if isinstance(self.encoder, Precise) else self.tensor(obs)
        return self.encoder.rates(seen)

    def tensor(self, array: np.ndarray) -> Tensor:
        """An array on the agent's device, in its number type."""
        return torch.as_tensor(array, dtype=self.dtype, device=self.device)

    def _step(self, t: Transition) -> np.ndarray:
        rates = self.coded(t.obs)
        self._learn(t, normalised(rates))
        forgotten = t.forgotten
        if forgotten is not None:
            self.reset(forgotten)
        return self._act(rates, self.allowed(t.obs))

    def _anneal(self) -> None:
        half = self.config.plasticity.lr_halved_after
        if half:
            torch.div(self._lr_start, 1 + self.episodes / half, out=self.lr)

    def _learn(self, t: Transition, next_features: Tensor) -> None:
        if t.final_obs is not None:
            last = normalised(self.coded(t.final_obs))
            next_features = torch.where(self.tensor(t.truncated)[..., None] > 0, last, next_features)
        terminated = self.tensor(t.terminated) if t.any_done else self._nobody
        restarted = None if t.restarted is None else torch.as_tensor(t.restarted, device=self.device)
        self.m = self.modulator(Step(self.tensor(t.reward), terminated, self._features, next_features, restarted))
        if self._windows % LOOK_EVERY == 0:
            self.statistics.add_learning(self.m, self.layer.update(self.m, self.lr))
        self.network.learn(self.m, self.lr)

    def _act(self, rates: Tensor, allowed: Tensor | None) -> np.ndarray:
        self._features = normalised(rates)
        self._window, self.network.neurons = self.respond(rates, self.random, self.network.neurons)
        action, gate = self.decoder.choose(self._window.rates, self._window.choice, allowed)
        self.network.remember(self._window.spikes, gate)
        self._windows += 1
        if self._windows % LOOK_EVERY == 0:
            self.statistics.add_spikes(self._window.spikes)
        return action.cpu().numpy()

    def _fused_engine(self, backend: Backend, seeds: tuple[int, ...], threads: int) -> FusedEngine | None:
        reason = "the torch backend was asked for" if backend == "torch" else why_not(self)
        if backend == "fused" and reason:
            raise ValueError(f"the fused backend cannot run this agent: {reason}")
        if reason:
            unusual = backend == "auto" and not compiled.ENABLED
            logger.log(logging.WARNING if unusual else logging.DEBUG, "the fused backend is not used: %s", reason)
        return None if reason else FusedEngine(self, seeds, threads)


def _encoder(space: gym.Space, p: EncoderConfig) -> Encoder:
    if plugins.is_plugin(p.code):
        return plugins.build("--encoder", p.code, Encoder, space, p)
    return build_encoder(space, p)


def normalised(rates: Tensor) -> Tensor:
    """Rates scaled to sum 1 over the neurons, unless all are silent: the features of the critic."""
    return rates / rates.sum(-1, keepdim=True).clamp_(min=1e-9)
