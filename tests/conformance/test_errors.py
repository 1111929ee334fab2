"""Where a source raises or surprises: ours works, or refuses in words."""

from __future__ import annotations

import pytest

from .answers import ANSWERS, answer
from .loader import DATA, described

ENTRIES = [entry.get("call") or entry["about"] for entry in described(DATA, "errors") + described(DATA, "facts")]


@pytest.mark.parametrize("entry", ENTRIES)
def test_ours_at_the_sources_error_or_fact(entry: str) -> None:
    answer(entry).check()


def test_every_answer_answers_something() -> None:
    assert {answer(entry) for entry in ENTRIES} == set(ANSWERS)
