"""Errors whose message is all the user needs: the command prints it in one line, without a traceback."""


class UsageError(ValueError):
    """The request cannot be carried out; nothing was started. Exit code 2."""


class EnvironmentFault(RuntimeError):
    """The environment failed, or returned something no agent can learn from. Exit code 1, after a checkpoint."""


class Diverged(RuntimeError):
    """An agent's numbers are no longer finite. Exit code 1; nothing more is saved, and the last checkpoint is good."""


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read or does not fit. Exit code 1; the file is left unchanged."""


class RankLost(RuntimeError):
    """A process that worked with this one is gone. Exit code 1; the last checkpoint is good."""
