"""Prints docs/conformance.md's tables: every case with its largest difference, and every error and fact with our answer.

``python -m tests.conformance.report [--reference DIR]``
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .answers import answer
from .loader import DATA, TOLERANCE, case_ids, described
from .replay import replay


def cases_table(folder: Path) -> list[str]:
    rows, passed = [], 0
    for entry, case_id in zip(described(folder, "cases"), case_ids(folder)):
        found = replay(folder, case_id)
        worst = max(found, key=lambda name: found[name])
        passed += found[worst] <= TOLERANCE
        rows.append(f"| {case_id} | {entry['package']} | {entry['rule']} | {found[worst]:.1e} | {worst} |")
    head = ["| case | package | rule | largest difference | in |", "| --- | --- | --- | --- | --- |"]
    return [f"{passed} of {len(rows)} cases within {TOLERANCE:g}.", "", *head, *rows]


def answers_table(folder: Path, part: str) -> list[str]:
    rows = []
    for entry in described(folder, part):
        what = entry.get("call") or entry["about"]
        theirs = f"{entry['exception']}" if entry.get("raises") else entry.get("notes", "")
        cells = [f"{entry['package']} {entry['version']}", what, theirs, answer(what).ours]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    third = "the source" if part == "errors" else "note"
    return [
        f"| package | {'call' if part == 'errors' else 'fact'} | {third} | ours |",
        "| --- | --- | --- | --- |",
        *rows,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Tables of docs/conformance.md")
    parser.add_argument("--reference", type=Path, default=DATA, metavar="DIR", help="folder with cases.json")
    folder = parser.parse_args().reference
    sections = {"Cases": cases_table(folder)}
    sections |= {part.capitalize(): answers_table(folder, part) for part in ("errors", "facts")}
    for title, lines in sections.items():
        print(f"## {title}", "", *lines, "", sep="\n")


if __name__ == "__main__":
    main()
