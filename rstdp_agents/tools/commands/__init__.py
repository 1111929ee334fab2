"""One file per command of train.py, each with a ``main(argv)`` that returns the exit code."""
