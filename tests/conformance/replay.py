"""From a case to its differences: picks the source's module by the package's name."""

from __future__ import annotations

from pathlib import Path

from . import bindsnet, inferno, ngclearn, spaic, spikingjelly
from .loader import differences, load

SOURCES = {
    "bindsnet": bindsnet,
    "inferno-ai": inferno,
    "ngclearn": ngclearn,
    "spaic": spaic,
    "spikingjelly": spikingjelly,
}


def replay(folder: Path, case_id: str) -> dict[str, float]:
    """Largest difference of each recorded array; an unknown package, rule or kind of case is an error."""
    case = load(folder, case_id)
    if case.package not in SOURCES:
        raise AssertionError(f"{case_id}: no source {case.package!r}; known are {', '.join(SOURCES)}")
    source = SOURCES[case.package]
    return differences(case, source.replay(case), source.GIVEN)
