"""Where this package lies, and which versions of others are installed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
"""Folder of the rooms."""


def version(package: str) -> str:
    """Version of an installed package; sources that are on the path without being installed have none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
