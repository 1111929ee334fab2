"""Errors whose message is all a person needs: the command prints it in one line, without a traceback."""


class UsageError(ValueError):
    """What was asked for cannot be done; nothing was started. Exit code 2."""


class EnvironmentFault(RuntimeError):
    """The environment gave what no agent can learn from. Exit code 1, after a checkpoint."""


class Diverged(RuntimeError):
    """Numbers of an agent are no longer finite. Exit code 1; nothing more is kept, and the last checkpoint is good."""


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read or does not fit. Exit code 1; the file is left as it was."""


class RankLost(RuntimeError):
    """A process that works with this one is gone. Exit code 1; the last checkpoint is good."""
