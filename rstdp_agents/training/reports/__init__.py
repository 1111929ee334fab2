"""What is computed from runs afterwards: scores, tables, curves and films."""
