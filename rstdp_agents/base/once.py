"""Warnings that are given once."""

from __future__ import annotations

import logging
from functools import cache


@cache
def warn_once(logger: logging.Logger, message: str) -> None:
    """Warn once per process: many environments, agents and evaluations meet the same thing."""
    logger.warning(message)
