"""Homeostasis of the presets that were found before the mean rate of a layer was held."""

from __future__ import annotations

SLOW_PER_NEURON = {"agent.homeostasis.scope": "neuron", "agent.homeostasis.lr": 1e-5, "agent.homeostasis.limit": 0.5}
"""Too slow to level the differences between actions; it does not hold rates."""
