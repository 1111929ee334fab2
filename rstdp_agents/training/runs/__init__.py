"""A run on disk: its folder, its checkpoints, and how it is read again."""
