"""How the command line shows a setting."""

from __future__ import annotations

from typing import Any, get_args

import tyro


def named(names: Any, *aliases: str) -> Any:
    """How the command line shows an option that takes one of a few names, or your own part as `module:Name`."""
    return tyro.conf.arg(metavar=f"{{{','.join(get_args(names))},module:Name}}", aliases=aliases)
