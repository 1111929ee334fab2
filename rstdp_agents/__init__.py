"""Spiking agents for Gymnasium environments that learn by reward-modulated, local plasticity."""
