"""Escaping of names from users and files, one function for each output format."""

from __future__ import annotations

import json
import re

SIGNS = re.compile(r"[\\`*{}\[\]<>&|~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""Characters with a meaning in Markdown, its tables, or HTML; an underscore has none within a word."""


def one_line(text: str) -> str:
    """``text`` on one line: invisible characters (line ends, terminal controls) are escaped as in Python."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def markdown(text: str) -> str:
    """``text`` as literal text in Markdown, tables included: HTML character references, which all readers support."""
    return SIGNS.sub(lambda found: f"&#{ord(found[0])};", one_line(text))


def yaml(text: str) -> str:
    """``text`` as a YAML string."""
    return json.dumps(one_line(text), ensure_ascii=False)


def figure(text: str) -> str:
    """``text`` for Matplotlib: no formula between dollars, and no legend drops it for a leading underscore."""
    shown = one_line(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown
