"""The memory of a population in the order that compiled code runs through it; torch sees views of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from rstdp_agents.agent.fused.constants import constants_of
from rstdp_agents.agent.fused.decoders import decoder_arrays
from rstdp_agents.agent.fused.encoders import code_of, most_active
from rstdp_agents.agent.fused.layer_arrays import feed_back, layer_arrays, mirror
from rstdp_agents.agent.fused.lazy_rows import RING, Rows
from rstdp_agents.agent.fused.neurons import neuron_arrays
from rstdp_agents.agent.fused.state import REWARD, TD, TD_SPIKING, is_usual
from rstdp_agents.agent.fused.words import words_of
from rstdp_agents.agent.modulators import Modulator, RewardMinusBaseline, TDError
from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.agent.spiking_critic import SpikingCritic
from rstdp_agents.base.memory import to_large_pages
from rstdp_agents.base.records import records
from rstdp_agents.codecs.encoders.counted import Counted
from rstdp_agents.equations.lanes import WIDTH
from rstdp_agents.equations.traces import powers
from rstdp_agents.spiking.adex import AdEx
from rstdp_agents.spiking.alif import ALIF
from rstdp_agents.spiking.izhikevich import Izhikevich
from rstdp_agents.spiking.layer import Layer
from rstdp_agents.spiking.network import Network
from rstdp_agents.spiking.neurons import LIF
from rstdp_agents.spiking.plasticity import PairRule, RewardSwitch


def arrays_of(parts: AgentParts) -> dict[str, Any]:
    """Everything of `state.FIELDS`; the tensors of the parts become views of it, with the values that they had.

    Synapses run along the output neurons, padded to `WIDTH`; so do spikes, credit, rates and offsets.
    """
    statistics, network, shape, inputs = parts.statistics, parts.network, (parts.agents, parts.envs), parts.inputs
    encoder = parts.encoder.encoder if isinstance(parts.encoder, Counted) else parts.encoder
    copies = 2 if parts.config.network.dale else 1
    neuron = parts.layer.neuron
    assert isinstance(neuron, LIF | ALIF | AdEx | Izhikevich)  # `support.why_not` refuses others
    rest = neuron.start((parts.agents,), parts.device, parts.dtype)
    most, constants = copies * most_active(encoder), records(constants_of(parts), parts.agents)
    dense = 4 * most > inputs or bool(parts.config.network.conv)
    arrays = dict(
        **code_of(encoder)._asdict(), **decoder_arrays(parts.decoder, shape),
        **_of_rule(parts.layer, parts.agents, parts.config.simulation.ticks), **_of_modulator(parts, inputs),
        **_of_spiking_critic(parts, inputs, most), **listed_arrays(most, shape),
        layers=_of_network(network, parts, most, dense), dense=dense,
        modulator=_kind_of(parts.modulator), is_deep=len(network.layers) > 1,
        constants=constants, **neuron_arrays(neuron.constants(parts.layer.dt), parts.agents),
        rest=torch.stack(rest, 1).numpy(), lr=parts.lr.numpy(), m=parts.m.numpy(), per_env=parts.dopamine.used,
        sums=statistics.sums.numpy(), pre_count=statistics.spikes[0].numpy(),
        counters=np.stack([parts.random.seeds.numpy(), *np.zeros((3, parts.agents), np.int64)], 1),
        copies=copies, fade=fading(constants), **_of_axons(network, shape),
        moments=parts.gain.moments.numpy(), dopamine=parts.dopamine.level.numpy(), visits=parts.novelty.visits.numpy(),
        sharpness=parts.exploration.sharpness.numpy(), sharpening=parts.exploration.lr.numpy(),
        pushes=parts.exploration.trace.numpy(),
    )  # fmt: skip
    to_large_pages(
        each for fields in (arrays, *arrays["layers"]) for each in fields.values() if isinstance(each, np.ndarray)
    )
    arrays["usual"] = is_usual(arrays)
    for layer in arrays["layers"]:
        layer["rows"] = [Rows(layer, arrays, a) for a in range(parts.agents)]
    return arrays


def _of_axons(network: Network, shape: tuple[int, int]) -> dict[str, Any]:
    """The fields of `state.FIELDS` of axons; what is under way lies in them from now on. shape: ``(agents, envs)``."""
    axons = network.axons
    if axons is None:
        return {
            "delays": False,
            "delay": np.zeros((shape[0], 0), np.uint64),
            "under_way": np.zeros((*shape, 0), np.uint64),
        }
    under_way = axons.under_way.numpy().view(np.uint64).copy()
    axons.under_way = torch.from_numpy(under_way.view(np.int64))
    return {"delays": True, "delay": axons.delay.numpy().view(np.uint64), "under_way": under_way}


def listed_arrays(most: int, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """The fields of `state.FIELDS` that list up to ``most`` active inputs, and what the critic owes to rows that wait."""
    agents, envs = shape
    return {
        "index": np.zeros((agents, 2, envs, most), np.int32), "value": np.zeros((agents, 2, envs, most), np.float32),
        "many": np.zeros((agents, 2, envs), np.int64),
        "owed_by_critic": np.zeros((agents, envs, RING)), "felt": np.zeros((agents, envs)),
    }  # fmt: skip


def _of_network(network: Network, parts: AgentParts, most: int, dense: bool) -> tuple[dict[str, Any], ...]:
    """The arrays of all layers; only the rows of the first can be sparse."""
    made, ticks = [], parts.config.simulation.ticks
    for i, layer in enumerate(network.layers):
        scale = 1.0 if layer is network.output else network.lr_scale
        kind = {"dense": dense or i > 0, "of_inputs": i == 0 and not parts.config.network.conv}
        counted = parts.statistics.spikes[1 + i]
        made.append(layer_arrays(layer, parts.envs, ticks, most=most, lr_scale=scale, counted=counted, **kind))
    network.feedback = [feed_back(*each) for each in zip(network.hidden, network.feedback, made)]
    if network.origin is not None:
        network.origin = mirror(network.output, network.origin, made[-1])
    return tuple(made)


def fading(constants: np.ndarray) -> np.ndarray:
    """What is left of eligibility and of a critic's trace after 0, 1, ... steps, ``(A, 2, RING + 1)``."""
    decays = np.stack([constants["rule"]["decay_z"], constants["modulator"]["trace_decay"]], 1)
    return decays[..., None] ** np.arange(RING + 1)


def _kind_of(modulator: Modulator) -> int:
    """The field ``modulator`` of a state."""
    if isinstance(modulator, TDError):
        return TD
    return TD_SPIKING if isinstance(modulator, SpikingCritic) else REWARD


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
        "relayed": np.zeros((*shape, most, words_of(parts.config.simulation.ticks)), np.uint64),
        "asked": np.zeros(shape, np.float32),
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
