"""Lateral synapse: a layer onto itself."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.spiking.synapses.geometry import Geometry
from rstdp_agents.spiking.synapses.linear import Linear


@dataclass(frozen=True)
class Lateral(Geometry):
    """Every neuron of a layer to every other one of it, never to itself; weight ``(agents, post, pre)``.

    The diagonal of the weight carries no current and never becomes eligible, whatever it holds.
    """

    neurons: int
    """Number of neurons of the layer."""

    def __post_init__(self) -> None:
        validate.positive("neurons", self.neurons, "neurons")

    @property
    def pre_axes(self) -> dict[str, int]:
        return self._all_to_all.pre_axes

    @property
    def post_axes(self) -> dict[str, int]:
        return self._all_to_all.post_axes

    @property
    def weight_axes(self) -> dict[str, int]:
        return self._all_to_all.weight_axes

    def current(self, pre: Tensor, weight: Tensor) -> Tensor:
        """``weight @ pre`` without the diagonal; shapes as in `Synapse.current`."""
        self.check_current(pre, weight)
        return self._all_to_all.current(pre, _clear_diagonal(weight.clone()))

    def hebb(self, post: Tensor, pre: Tensor) -> Tensor:
        """Outer products summed over ticks, zero on the diagonal; shapes as in `Synapse.hebb`."""
        return _clear_diagonal(self._all_to_all.hebb(post, pre))

    @property
    def _all_to_all(self) -> Linear:
        return Linear(self.neurons, self.neurons)


def _clear_diagonal(matrix: Tensor) -> Tensor:
    matrix.diagonal(dim1=-2, dim2=-1).zero_()
    return matrix
