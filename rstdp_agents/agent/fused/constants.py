"""Numbers of a configuration, as compiled code takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rstdp_agents.agent.modulators import RewardMinusBaseline, TDError
from rstdp_agents.base.compiled import jit
from rstdp_agents.equations.traces import decay
from rstdp_agents.spiking.neurons import LIFParams
from rstdp_agents.spiking.plasticity import RewardSwitch

if TYPE_CHECKING:
    from rstdp_agents.agent.agent import Agent

GATES = ("centred", "chosen", "none")
HOMEOSTASIS = ("none", "bias", "threshold")


class Constants(NamedTuple):
    """In the order of the array that carries them into compiled code."""

    p_max: float
    keep_v: float
    v_th: float
    v_rest: float
    v_reset: float
    refractory_ticks: float
    escape_noise: float
    decay_x: float
    decay_y: float
    decay_z: float
    gain: float
    w_min: float
    w_max: float
    switch: float
    zero_punishes: float
    group: float
    inverse_temperature: float
    gate: float
    exploration: float
    td: float
    reward_scale: float
    gamma: float
    trace_decay: float
    critic_lr: float
    deadband: float
    baseline_rate: float
    homeostasis: float
    rate_target: float
    rate_mix: float
    homeostasis_lr: float
    offset_limit: float
    window: float
    lateral_inhibition: float


@jit(forceinline=True)
def unpack(c):
    """`Constants` of an array of them."""
    return Constants(
        c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14],
        c[15], c[16], c[17], c[18], c[19], c[20], c[21], c[22], c[23], c[24], c[25], c[26], c[27], c[28], c[29],
        c[30], c[31], c[32],
    )  # fmt: skip


def constants_of(agent: Agent) -> Constants:
    """The numbers of the agent's configuration."""
    layer, h, m = agent.layer, agent.layer.homeostasis_params, agent.config.modulation
    n = layer.neuron
    assert isinstance(n, LIFParams)  # of others `why_not` says that they are not known
    d = agent.config.decoder
    d_plus, d_minus = layer.rule.trace_decays(layer.dt)
    _, decay_z = layer.rule.decays(agent.config.simulation.ticks, layer.dt)
    rate = agent.modulator.rate if isinstance(agent.modulator, RewardMinusBaseline) else 0.0
    switch = layer.rule if isinstance(layer.rule, RewardSwitch) else None
    return Constants(
        p_max=agent.p_max, keep_v=decay(n.tau_m, layer.dt), v_th=n.v_th, v_rest=n.v_rest, v_reset=n.v_reset,
        refractory_ticks=round(n.t_ref / layer.dt), escape_noise=n.escape_noise, decay_x=d_plus, decay_y=d_minus,
        decay_z=decay_z, gain=layer.rule.gain(layer.dt), w_min=layer.bounds[0], w_max=layer.bounds[1],
        switch=switch is not None, zero_punishes=switch is not None and switch.zero_punishes,
        group=d.neurons_per_action, inverse_temperature=d.inverse_temperature, gate=GATES.index(d.gate),
        exploration=d.exploration, td=isinstance(agent.modulator, TDError), reward_scale=m.reward_scale,
        gamma=m.gamma, trace_decay=m.gamma * m.lambda_, critic_lr=m.critic_lr, deadband=m.deadband, baseline_rate=rate,
        homeostasis=HOMEOSTASIS.index(h.param), rate_target=h.rate_target,
        rate_mix=1.0 - decay(h.tau_rate, layer.window_ms), homeostasis_lr=h.lr, offset_limit=h.limit,
        window=layer.window_ms, lateral_inhibition=n.lateral_inhibition,
    )  # fmt: skip
