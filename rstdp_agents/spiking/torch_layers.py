"""The rules beside plain torch: from the layers of a ``torch.nn`` model to synapses, and updates of their weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from rstdp_agents.base import validate
from rstdp_agents.spiking.plasticity.base import PairRule
from rstdp_agents.spiking.plasticity.update import modulate
from rstdp_agents.spiking.plasticity.window import PairState, pair_init, pair_kernels, pair_window
from rstdp_agents.spiking.reductions import Reduction, mean_envs
from rstdp_agents.spiking.synapses import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Geometry, Linear

CONVOLUTIONS = {nn.Conv1d: Conv1d, nn.Conv2d: Conv2d}
TRANSPOSED = {nn.ConvTranspose1d: ConvTranspose1d, nn.ConvTranspose2d: ConvTranspose2d}


def synapse_of(module: nn.Module, input_shape: tuple[int, ...]) -> tuple[Geometry, Tensor]:
    """The synapse that ``module`` is, and its weight as that of one agent.

    module: Linear, Conv1d, Conv2d, ConvTranspose1d or ConvTranspose2d of ``torch.nn``; ``TypeError`` for any other.
    input_shape: shape of one sample, ``(features,)`` or ``(channels, *space)``; ``ValueError`` if the module takes another.
    The weight ``(1, *weight)`` is a view: what is written into it, the module has. The bias is no part of a synapse.
    """
    synapse = _synapse_of(module, tuple(input_shape))
    want = ", ".join(f"{axis}={n}" for axis, n in synapse.pre_axes.items())
    fits = tuple(input_shape) == synapse.pre_shape
    validate.require(fits, f"`input_shape` must be ({want}); received {tuple(input_shape)}")
    return synapse, module.get_parameter("weight").detach()[None]


def _synapse_of(module: nn.Module, input_shape: tuple[int, ...]) -> Geometry:
    if isinstance(module, nn.Linear):
        return Linear(module.in_features, module.out_features)
    for layer, synapse in CONVOLUTIONS.items():
        if isinstance(module, layer):
            padding = 0 if module.padding == "valid" else module.padding
            shape = _shape(module, synapse.space, input_shape)
            return synapse(**shape, padding=padding, padding_mode=module.padding_mode)
    for layer, synapse in TRANSPOSED.items():
        if isinstance(module, layer):
            shape = _shape(module, synapse.space, input_shape)
            return synapse(**shape, padding=module.padding, output_padding=module.output_padding)
    known = ", ".join(layer.__name__ for layer in (nn.Linear, *CONVOLUTIONS, *TRANSPOSED))
    raise TypeError(f"`module` must be one of {known} of torch.nn; received {type(module).__name__}")


def _shape(module: Any, space: tuple[str, ...], input_shape: tuple[int, ...]) -> dict[str, Any]:
    """What all convolutions of torch call by the same names."""
    axes = ", ".join(("channels", *space))
    fits = len(input_shape) == 1 + len(space)
    validate.require(fits, f"`input_shape` must have the axes ({axes}); received {input_shape}")
    same = {name: getattr(module, name) for name in ("in_channels", "out_channels", "stride", "dilation", "groups")}
    return {"size": input_shape[1:], "kernel": module.kernel_size, **same}


class LocalLearner:
    """A rule at work on the weight of one torch layer; every sample of a batch is an env, with a reward of its own.

    No gradient is needed or recorded, and nothing is written: the update is yours to add to the weight.
    """

    def __init__(
        self, module: nn.Module, rule: PairRule, input_shape: tuple[int, ...], *, batch: int, dt: float, ticks: int = 1
    ) -> None:
        """Watch ``module`` in windows of ``ticks`` ticks of ``dt`` ms; the other arguments as in `synapse_of`."""
        validate.positive("batch", batch, "samples")
        validate.positive("dt", dt, "ms")
        validate.positive("ticks", ticks)
        self.rule, self.batch, self.ticks = rule, batch, ticks
        self.synapse, self.weight = synapse_of(module, input_shape)
        like = self.weight.device, self.weight.dtype
        self._kernels = pair_kernels(rule, ticks, dt, *like)
        self.pairs: PairState = pair_init(self.synapse, rule, 1, batch, *like)

    @torch.no_grad()
    def see(self, pre: Tensor, post: Tensor) -> None:
        """Make the spike pairs of a window eligible.

        pre: ``(ticks, batch, *input)``. post: ``(ticks, batch, *output)``. A single tick needs no axis of ticks.
        """
        pre = self._window("pre", pre, self.synapse.pre_axes)
        post = self._window("post", post, self.synapse.post_axes)
        self.pairs = pair_window(self.synapse, self._kernels, pre, post, self.pairs, weight=self.weight)

    @torch.no_grad()
    def update(self, reward: Tensor, reduce: Reduction = mean_envs) -> Tensor:
        """Change that the rule makes of ``reward (batch,)``, of the shape of the layer's weight, at a learning rate of 1.

        reduce: how the samples are joined (mean). Called before `see`, the reward meets what was eligible before this tick.
        """
        validate.axes("reward", reward, batch=self.batch)
        factors = self.rule.factors(reward.to(self.weight)[None])
        return modulate(self.pairs.z, factors, reduce)[0]

    def reset(self, done: Tensor) -> None:
        """Forget the spikes of the samples with ``done (batch,)`` bool; the others go on."""
        validate.axes("done", done, batch=self.batch)
        validate.require(done.dtype == torch.bool, f"`done` must be bool; received {done.dtype}")
        for tensor in (self.pairs.x, self.pairs.y, *self.pairs.z):
            tensor[:, done] = 0.0

    def _window(self, name: str, spikes: Tensor, axes: dict[str, int]) -> Tensor:
        if self.ticks == 1 and spikes.ndim == 1 + len(axes):
            spikes = spikes[None]
        validate.axes(name, spikes, ticks=self.ticks, batch=self.batch, **axes)
        return spikes[:, None].to(self.weight.dtype)
