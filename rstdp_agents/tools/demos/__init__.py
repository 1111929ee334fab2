"""Runs of published experiments: `florian` (one synapse, three rules) and `xor` (networks that learn exclusive or)."""
