"""Tables as text: for a terminal, and in Markdown."""

from __future__ import annotations


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def columns(header: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as their widest entry, under a line."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(entry.ljust(width) for entry, width in zip(row, widths)).rstrip() for row in lines)
