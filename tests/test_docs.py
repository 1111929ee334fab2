"""The tutorials are run as they stand, the site leads to pages that are there, equations are those of the code."""

import inspect
import pkgutil
import re
import shlex
import sys
from pathlib import Path

import pytest

from rstdp_agents.tools import cli

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```(python|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", sorted((DOCS / "tutorials").glob("*.md")), ids=lambda page: page.stem)
def test_a_tutorial_does_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py"])
    names = {}
    for language, code in BLOCK.findall(page.read_text()):
        if language == "python":
            exec(compile(code, str(page), "exec"), names)
        else:
            for line in code.splitlines():
                assert line.startswith("python train.py ")
                assert cli.main(shlex.split(line)[2:]) == 0, line


def test_the_navigation_leads_to_pages():
    listed = re.findall(r": ([\w/]+\.md)$", (DOCS.parent / "mkdocs.yml").read_text(), re.MULTILINE)
    assert len(listed) == len(set(listed)) > 10
    assert all((DOCS / page).exists() for page in listed)


def test_every_equation_of_the_page_is_that_of_the_code_that_computes_it():
    equations = [line.strip() for line in (DOCS / "rule.md").read_text().splitlines() if line.startswith("    ")]
    assert len(equations) > 20
    for line in equations:
        equation, name = re.split(r" {2,}", line)
        doc = inspect.getdoc(pkgutil.resolve_name(f"rstdp_agents.{name}"))
        assert equation in [re.split(r" {2,}", line.strip())[0] for line in doc.splitlines()], line


def test_what_a_newcomer_copies_first_is_the_small_torch_and_the_one_that_was_tested():
    pinned = re.search(r"(?m)^torch==.*$", (DOCS.parent / "constraints.txt").read_text())[0]
    cpu = (
        f"python3 -m venv .venv && .venv/bin/pip install -q {pinned} --index-url https://download.pytorch.org/whl/cpu\n"
    )
    first, second, _ = (code for language, code in BLOCK.findall((DOCS.parent / "README.md").read_text())[:3])
    assert first == cpu
    assert "-c constraints.txt -e . && .venv/bin/python train.py" in second
    assert cpu.replace(" -q", "") in (DOCS / "index.md").read_text()
