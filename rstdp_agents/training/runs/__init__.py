"""A run on disk: its folder, its checkpoints, and how they are read."""
