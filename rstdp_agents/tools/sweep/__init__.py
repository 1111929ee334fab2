"""Search for settings: the space, trials, Optuna and Ray Tune."""
