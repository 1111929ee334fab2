"""The memory of a population in the order that compiled code runs through it; torch sees views of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.fused.constants import constants_of
from rstdp_agents.agent.fused.decoders import decoder_arrays
from rstdp_agents.agent.fused.encoders import code_of, most_active
from rstdp_agents.agent.fused.lazy_rows import RING
from rstdp_agents.agent.modulators import RewardMinusBaseline, TDError
from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.agent.spiking_critic import SpikingCritic
from rstdp_agents.base.records import records
from rstdp_agents.codecs.encoders.counted import Counted
from rstdp_agents.equations.lanes import WIDTH
from rstdp_agents.equations.traces import powers
from rstdp_agents.spiking.homeostasis import HomeostasisState
from rstdp_agents.spiking.layer import Layer
from rstdp_agents.spiking.neurons import LIFState
from rstdp_agents.spiking.plasticity import PairRule, RewardSwitch


def arrays_of(parts: AgentParts) -> dict[str, Any]:
    """Everything of `state.FIELDS`; the tensors of the parts become views of it, with the values that they had.

    Synapses run along the output neurons, padded to `WIDTH`; so do spikes, credit, rates and offsets.
    """
    ticks, statistics = parts.config.simulation.ticks, parts.statistics
    agents, envs, inputs, outputs = parts.agents, parts.envs, parts.inputs, parts.decoder.size
    padded, shape = -(-outputs // WIDTH) * WIDTH, (agents, envs)
    encoder = parts.encoder.encoder if isinstance(parts.encoder, Counted) else parts.encoder
    copies = 2 if parts.config.network.dale else 1
    constants = records(constants_of(parts), agents)
    return dict(
        **code_of(encoder)._asdict(), **decoder_arrays(parts.decoder, shape), **_of_rule(parts.layer, agents, ticks),
        **_of_layer(parts.layer, envs, ticks, inputs, outputs, padded), **_of_modulator(parts, inputs),
        **_of_spiking_critic(parts, inputs, copies * most_active(encoder)),
        **_carried(parts.layer, envs, padded, len(parts.layer.rule.terms)),
        constants=constants, lr=parts.lr.numpy(), m=parts.m.numpy(),
        sums=statistics.sums.numpy(), pre_count=statistics.spikes[0].numpy(), post_count=statistics.spikes[1].numpy(),
        counters=np.stack([parts.random.seeds.numpy(), *np.zeros((4, agents), np.int64)], 1),
        **sparse_arrays(copies * most_active(encoder), inputs, shape, parts.layer), copies=copies,
        fade=fading(constants),
        post=np.zeros((*shape, ticks, padded), np.float32),
        moments=parts.gain.moments.numpy(), dopamine=parts.dopamine.level.numpy(), visits=parts.novelty.visits.numpy(),
        sharpness=parts.exploration.sharpness.numpy(), sharpening=parts.exploration.lr.numpy(),
        pushes=parts.exploration.trace.numpy(), power=np.zeros(shape, np.float32),
    )  # fmt: skip


def sparse_arrays(most: int, inputs: int, shape: tuple[int, int], layer: Layer) -> dict[str, Any]:
    """The fields of `state.FIELDS` that list up to ``most`` active inputs, and rows that wait; shape: ``(agents, envs)``."""
    (agents, envs), terms, dense = shape, len(layer.rule.terms), 4 * most > inputs
    places = RING * envs * most + inputs if layer.fresh_each_window else 4 * inputs  # else `lazy_rows.make_room`
    room = 0 if dense else 1 << places.bit_length()
    return {
        "index": np.zeros((agents, 2, envs, most), np.int32), "value": np.zeros((agents, 2, envs, most), np.float32),
        "many": np.zeros((agents, 2, envs), np.int64), "dense": dense,
        "bits": np.zeros((agents, 1 + dense, envs, inputs), np.uint64),
        "age": np.zeros((agents, inputs * dense), np.int64),
        "touched": np.full((agents, inputs), -1, np.int16), "queue": np.zeros((agents, room), np.int32),
        "queued": np.zeros((agents, 3), np.int64), "joined": np.zeros((agents, RING), np.int64),
        "owed": np.zeros((agents, terms * envs, RING)), "owed_by_critic": np.zeros((agents, envs, RING)),
        "felt": np.zeros((agents, envs)),
    }  # fmt: skip


def fading(constants: np.ndarray) -> np.ndarray:
    """What is left of eligibility and of a critic's trace after 0, 1, ... steps, ``(A, 2, RING + 1)``."""
    decays = np.stack([constants["rule"]["decay_z"], constants["modulator"]["trace_decay"]], 1)
    return decays[..., None] ** np.arange(RING + 1)


def _of_layer(layer: Layer, envs: int, ticks: int, inputs: int, outputs: int, padded: int) -> dict[str, np.ndarray]:
    """Weights, eligibility and homeostasis of the output layer, which from now on lie here."""

    def view(synapses: Tensor) -> Tensor:
        """``(..., inputs, padded)`` as the torch path sees it, ``(..., outputs, inputs)``."""
        return synapses[..., :outputs].transpose(-1, -2)

    agents, terms = layer.agents, len(layer.rule.terms)
    layer.pairs = layer.pairs._replace(z=())  # its memory goes before ours comes: there is nothing larger
    weight = torch.zeros(agents, inputs, padded)
    z = torch.zeros(agents, terms, envs if layer.last is None else 0, inputs, padded)
    credit = torch.zeros(agents, terms, envs, ticks + 1, padded)
    rate, offset = torch.zeros(2, agents, padded)
    layer.weight = view(weight).copy_(layer.weight)
    if layer.last is None:
        layer.pairs = layer.pairs._replace(z=tuple(view(z[:, k]) for k in range(terms)))
    else:
        layer.last = layer.last._replace(credit=credit[..., :ticks, :outputs].unbind(1))
    kept = zip((rate, offset), layer.homeostasis, strict=True)
    layer.homeostasis = HomeostasisState(*(memory[:, :outputs].copy_(value) for memory, value in kept))
    tensors = {"weight": weight, "z": z, "credit": credit, "rate": rate, "offset": offset}
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def _carried(layer: Layer, envs: int, padded: int, terms: int) -> dict[str, Any]:
    """The fields of `state.FIELDS` of what may go on from window to window; where it does, it lies here from now on."""
    carries, shape = not layer.fresh_each_window, (layer.agents, envs)
    inputs, outputs = layer.synapse.pre_shape[0] if carries else 0, layer.synapse.post_shape[0]
    v, pause, y = torch.zeros(3, *shape, padded)
    x = torch.zeros(layer.agents, 2, envs, inputs)
    if carries:
        state = LIFState(*(view[..., :outputs].copy_(own) for view, own in zip((v, pause), layer.neurons, strict=True)))
        layer.neurons, layer.pairs = state, layer.pairs._replace(x=x[:, 1], y=y[..., :outputs])
    lingering = np.zeros((layer.agents, terms, envs, padded), np.float32)
    arrays = {"v": v, "pause": pause, "y": y, "x": x}
    return {"carries": carries, "lingering": lingering, **{name: tensor.numpy() for name, tensor in arrays.items()}}


def _of_modulator(parts: AgentParts, inputs: int) -> dict[str, np.ndarray]:
    """What the modulator has learnt, and its trace; zeros in place of what it has not."""
    m, agents = parts.modulator, parts.agents
    critic, trace = (m.weight, m.trace) if isinstance(m, TDError) else (None, None)
    return {
        "critic": torch.zeros(agents, inputs).numpy() if critic is None else critic.numpy(),
        "trace": torch.zeros(agents, parts.envs, inputs).numpy() if trace is None else trace.numpy(),
        "r_bar": m.r_bar.numpy() if isinstance(m, RewardMinusBaseline) else torch.zeros(agents, 1).numpy(),
    }


def _of_spiking_critic(parts: AgentParts, inputs: int, most: int) -> dict[str, np.ndarray]:
    """The fields of a spiking critic, which from now on lie here; without neurons where there is none."""
    m, shape = parts.modulator, (parts.agents, parts.envs)
    half = m.constants.half if isinstance(m, SpikingCritic) else 0
    padded = -(-half // WIDTH) * WIDTH
    synapse, sign = torch.zeros(parts.agents, inputs, 2, padded), torch.zeros(2, padded)
    tagged, (potential, calcium) = torch.zeros(*shape, inputs, 2, padded), torch.zeros(2, *shape, 2, padded)
    sign[:, :half] = torch.tensor([[1.0], [-1.0]])
    held = {
        "said": torch.zeros(shape),
        "silent": torch.ones(shape, dtype=torch.bool), "recent": torch.zeros(shape, dtype=torch.float64),
        "reach": torch.zeros(parts.agents, 1, dtype=torch.float64), "balance": torch.zeros(parts.agents, 1, dtype=torch.float64),
    }  # fmt: skip
    if isinstance(m, SpikingCritic):
        m.weight = synapse[..., :half].movedim(1, -1).copy_(m.weight)
        m.trace = tagged[..., :half].movedim(2, -1).copy_(m.trace)
        m.potential = potential[..., :half].copy_(m.potential)
        m.calcium = calcium[..., :half].copy_(m.calcium)
        held = {name: getattr(m, name) for name in held}
    return {
        "synapse": synapse.flatten(2).numpy(), "tagged": tagged.flatten(3).numpy(), "sign": sign.flatten().numpy(),
        "potential": potential.flatten(2).numpy(), "calcium": calcium.flatten(2).numpy(),
        **{name: tensor.numpy() for name, tensor in held.items()},
        "relayed": np.zeros((*shape, most), np.uint64), "asked": np.zeros(shape, np.float32),
    }  # fmt: skip


def _of_rule(layer: Layer, agents: int, ticks: int) -> dict[str, np.ndarray]:
    late, terms, amplitudes = rule_arrays(layer.rule, ticks, layer.dt)
    return {"late": np.tile(late, (agents, 1)), "terms": terms, "amplitudes": amplitudes}


def rule_arrays(rule: PairRule, ticks: int, dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``late``, ``terms`` and ``amplitudes`` of `state.FIELDS`, for windows of ``ticks`` ticks of ``dt`` ms."""
    per_tick, _ = rule.decays(ticks, dt)
    late = powers(per_tick, 0, ticks).flip(0).numpy()
    switched = np.zeros((len(rule.terms), 2))
    if isinstance(rule, RewardSwitch):
        pairs = ((rule.a_plus, rule.a_plus_punished), (rule.a_minus, rule.a_minus_punished))
        switched[:] = pairs[: len(rule.terms)]
    return late, np.array(rule.terms, dtype=np.float64), switched
