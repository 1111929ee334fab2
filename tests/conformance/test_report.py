"""The table in docs/conformance.md names every case, error and fact of the project's own data."""

from pathlib import Path

from .loader import DATA, case_ids
from .report import answers_table

DOCS = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8")


def test_docs_name_every_case() -> None:
    assert [case_id for case_id in case_ids(DATA) if f"| {case_id} |" not in DOCS] == []


def test_docs_hold_our_answers_as_they_are() -> None:
    assert [row for part in ("errors", "facts") for row in answers_table(DATA, part) if row not in DOCS] == []
