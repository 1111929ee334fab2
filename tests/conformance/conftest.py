"""Option --reference, and one test per case that the folder describes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .loader import DATA, case_ids


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--reference", type=Path, default=DATA, metavar="DIR", help="folder with cases.json and its .npz files"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case_id" in metafunc.fixturenames:
        metafunc.parametrize("case_id", case_ids(_folder(metafunc.config)))


@pytest.fixture
def reference(request: pytest.FixtureRequest) -> Path:
    return _folder(request.config)


def _folder(config: pytest.Config) -> Path:
    return config.getoption("--reference", default=DATA) or DATA
