"""The tutorials are run as they stand, block after block, and every page has a place in the site."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from rstdp_agents import cli

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


def test_every_page_is_in_the_navigation():
    listed = set(re.findall(r": ([\w/]+\.md)$", (DOCS.parent / "mkdocs.yml").read_text(), re.MULTILINE))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    generated = {page for page in pages if page.startswith("results/") and page != "results/README.md"}
    assert listed == pages - generated
