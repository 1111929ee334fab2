"""Versions of packages."""

from __future__ import annotations

from importlib import metadata


def version(package: str) -> str:
    """Version of an installed package; sources that are on the path without being installed have none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
