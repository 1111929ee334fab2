"""Measures of a training agent's internal state, one number for each agent of a population."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rstdp_agents.agent.agent import Agent
from rstdp_agents.spiking.layer import Layer


def measures(agent: Agent) -> dict[str, Tensor]:
    """Figures over the windows since the statistics were last cleared, and of the current state: ``(agents,)`` each, by name."""
    seen, out = agent.statistics, {}
    m, m_square, dw_square = (seen.sums / seen.windows).T
    out["learn/modulator_mean"] = m
    out["learn/modulator_rms"] = m_square.sqrt()
    out["learn/eligibility_rms"] = eligibility_rms(agent)
    out["learn/dw_rms"] = dw_square.sqrt()
    if (sharpness := agent.parts.exploration.sharpness).numel():
        out["learn/sharpness"] = sharpness.mean(1)
    critic = agent.modulator.tensors().get("critic.weight")
    if critic is not None:
        out["learn/critic_w_max"] = critic.abs().flatten(1).amax(1)
    layers = agent.network.layers
    for layer, pre in zip(layers, seen.spikes[:-1], strict=True):
        suffix = "" if layer is agent.layer else f"/{layer.name}"
        weight = layer.weight.transpose(1, -1)  # as it lies in memory, where compiled code has it
        out[f"learn/w_mean{suffix}"] = weight.mean(tuple(range(1, weight.ndim)))
        out[f"learn/w_rms{suffix}"] = rms(weight)
        out[f"learn/w_saturated_frac{suffix}"] = saturated(layer, pre)
    seconds = seen.windows * agent.envs * agent.layer.window_ms / 1000.0
    for name, counts in zip(("input", *(layer.name for layer in layers)), seen.spikes, strict=True):
        out[f"activity/rate_hz/{name}"] = counts.mean(1) / seconds
        out[f"activity/silent_frac/{name}"] = (counts == 0).float().mean(1)
    for layer in layers:
        if layer.homeostasis_params.param != "none":
            rate = out[f"activity/rate_hz/{layer.name}"]
            out[f"activity/rate_of_target/{layer.name}"] = rate / layer.homeostasis_params.rate_target
    return out


def eligibility_rms(agent: Agent) -> Tensor:
    """Root mean square of each agent's eligibility, ``(agents,)``; env by env, because all of them together may be large."""
    layer = agent.layer
    each = (layer.eligibility(slice(e, e + 1)) for e in range(agent.envs))
    squares = sum((rms(z).square() for terms in each for z in terms), torch.zeros(1))
    return (squares / agent.envs).sqrt()


def rms(values: Tensor) -> Tensor:
    """Root mean square of each agent's ``values (agents, ...)``."""
    axes = tuple(range(1, values.ndim))
    return torch.linalg.vector_norm(values, dim=axes) / math.sqrt(values[0].numel())


def saturated(layer: Layer, pre: Tensor) -> Tensor:
    """Share of each agent's weights on a bound, ``(agents,)``; in a dense layer, of the synapses in use.

    pre: spikes of every input neuron, ``(agents, neurons)``; synapses that have carried no spike do not count.
    """
    low, high = layer.bounds
    least, most = layer.weight.transpose(1, -1).aminmax()
    if low < least and most < high:
        return layer.weight.new_zeros(len(layer.weight))
    bound = ((layer.weight <= low) | (layer.weight >= high)).float()
    if bound.shape[2:] != pre.shape[1:]:
        return bound.flatten(1).mean(1)
    used = (pre > 0).float()
    return (bound.mean(1) * used).sum(1) / used.sum(1).clamp(min=1.0)


def population(values: Tensor) -> tuple[float, float, float]:
    """Mean over agents, and the ends of the band that holds the middle 80 % of them."""
    if len(values) == 1:
        one = float(values)
        return one, one, one
    values = values.double().cpu()
    low, high = torch.quantile(values, torch.tensor([0.1, 0.9], dtype=torch.float64)).tolist()
    return float(values.mean()), low, high
