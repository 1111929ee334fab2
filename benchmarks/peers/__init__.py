"""Contestants of `benchmarks.speed`: one short file each, which holds `prepare(size) -> env_step`, run by `worker`."""
