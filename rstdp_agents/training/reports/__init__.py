"""What is said of runs afterwards: scores, tables, curves and films."""
