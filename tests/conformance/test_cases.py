"""Every recorded array of every case, in float64."""

from __future__ import annotations

from pathlib import Path

from .loader import TOLERANCE
from .replay import replay


def test_case(case_id: str, reference: Path) -> None:
    beyond = {name: value for name, value in replay(reference, case_id).items() if not value <= TOLERANCE}
    assert not beyond
