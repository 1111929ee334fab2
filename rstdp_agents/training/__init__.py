"""A run: the learning loop, evaluation, its folder, what is watched, presets, clusters."""
