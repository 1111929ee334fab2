"""Learning curves and speed, each with the command that makes its figures."""
