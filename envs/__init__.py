"""Environments of this project, one file each, registered as ``rstdp/<Name>-v0``."""


def register_envs() -> None:
    """Called by Gymnasium's plug-in loader."""
