"""In which regime an agent's neurons work: as fast as learning allows, or as those of a cortex do."""

from __future__ import annotations

from typing import Any

REGIMES: dict[str, dict[str, Any]] = {
    "fast": {},
    "cortical": {
        "agent.simulation.ticks": 50,  # an env step is 100 ms, in which a neuron at 30 Hz says something
        "agent.simulation.dt": 2.0,
        "agent.simulation.fresh_each_window": False,
        "agent.encoder.rate_max": 100.0,
        "agent.network.dale": True,
        "agent.network.hidden_hz": 30.0,
        "agent.network.hidden_tau": 100_000.0,
        "agent.neuron.tau_m": 20.0,
        "agent.neuron.t_ref": 4.0,
        "agent.neuron.escape": "exponential",  # at rest 60 Hz exp(-1 / 0.25) = 1.1 Hz (Jolivet and others 2006 in form)
        "agent.neuron.escape_noise": 0.25,
        "agent.plasticity.a_minus": 0.3,
        "agent.plasticity.lr": 1.5,  # an output spike of a longer window pairs with a smaller share of its input
        "agent.plasticity.tau_e": 360.0,  # as long as that of the fast regime in env steps
        "agent.decoder.neurons_per_action": 16,  # few spikes each, so more of them, and smaller differences of rates
        "agent.decoder.inverse_temperature": 100.0,
        "agent.decoder.temperature_lr": 0.0,  # counts of few spikes are random: choices that became ever sharper would get stuck
        "agent.decoder.choice_hz": 30.0,
        "agent.decoder.vector_hz": 12.0,
        "agent.modulator": "td-spiking",
        "agent.modulation.critic_hz": 25.0,  # values move it by two thirds, to between 8 and 42 Hz
        # a share of the rate follows an offset ten times as steeply as in the fast regime: with a slower estimate it would swing
        "agent.homeostasis.tau_rate": 5000.0,
        "agent.homeostasis.tau": 100_000.0,
    },
}
"""Changes to the default `RunConfig`, dotted names: the one setting in each regime."""

RULES_IN: dict[str, dict[str, dict[str, Any]]] = {
    "cortical": {
        # chosen when it ran on torch alone, where a critic of spikes takes 0.3 s a step
        "rstdp": {"agent.modulator": "td"},
        "reward-switch": {"agent.plasticity.lr": 0.5},  # a third of that of the others, as in the fast regime
    },
}
"""By regime and rule, what a rule changes in addition to `found.RULES`."""
