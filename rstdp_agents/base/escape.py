"""Names that come from users and from files, as text of formats that have signs of their own: one function for each."""

from __future__ import annotations

import json
import re

SIGNS = re.compile(r"[\\`*{}\[\]<>&|~$#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""What means something in Markdown, its tables, or HTML; an underscore does not within a word."""


def one_line(text: str) -> str:
    """``text`` on one line: what is not to be seen in it (line ends, controls of a terminal) is written as Python writes it."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def markdown(text: str) -> str:
    """``text`` as plain words of Markdown, also in a cell of a table: HTML's numbers of characters, which all readers know."""
    return SIGNS.sub(lambda found: f"&#{ord(found[0])};", one_line(text))


def yaml(text: str) -> str:
    """``text`` as a string of YAML."""
    return json.dumps(one_line(text), ensure_ascii=False)


def figure(text: str) -> str:
    """``text`` as Matplotlib shows it: no formula between dollars, and no legend leaves it out for its first underscore."""
    shown = one_line(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown
