"""Where this package is, and which versions of others are installed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
"""Folder of this package."""


def version(package: str) -> str:
    """Version of an installed package; sources that are only on the path have none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
