"""Replays recorded trajectories of the source packages with the pure functions of `rstdp_agents`."""
