"""Learning at every tick, as the papers write it: the reward of a tick meets the eligibility before or after its spikes."""

from __future__ import annotations

from torch import Tensor

from rstdp_agents.spiking.plasticity.update import modulate
from rstdp_agents.spiking.plasticity.window import PairKernels, PairState, pair_window
from rstdp_agents.spiking.reductions import Reduction, mean_envs
from rstdp_agents.spiking.synapses import Synapse


def online_tick(
    synapse: Synapse, k: PairKernels, pre: Tensor, post: Tensor, state: PairState, m: Tensor, *, lagged: bool,
    weight: Tensor | None = None, reduce: Reduction = mean_envs,
) -> tuple[Tensor, PairState]:  # fmt: skip
    """Change of the weights (before the learning rate) ``(agents, *weight)``, and the state after a tick or window.

    lagged: the modulator meets what was eligible before these spikes (Florian's discrete equations), else what is
    eligible with them. m: as `update.modulate` takes it. k: of one tick; with more, a window counts as one tick.
    Other arguments as in `window.pair_window`.
    Writes the eligibility in place.
    """
    if lagged:
        dw = modulate(state.z, k.rule.factors(m), reduce)
        return dw, pair_window(synapse, k, pre, post, state, weight=weight)
    state = pair_window(synapse, k, pre, post, state, weight=weight)
    return modulate(state.z, k.rule.factors(m), reduce), state
