"""Files and names that docs and docstrings mention are there: whoever moves one moves what is said of it."""

import ast
import importlib
import re
from itertools import accumulate
from pathlib import Path

import pytest

import rstdp_agents
from rstdp_agents.training.config import RunConfig, by_option

PACKAGE = Path(rstdp_agents.__file__).parent
ROOT = PACKAGE.parent
OF_A_RUN = {"best/", "checkpoints/"}
SUFFIXES = {"json", "npz", "csv", "md", "txt", "safetensors"}
ELSEWHERE = {"random.Random", "agent.layer.weight", "run.folder"}
"""Of the standard library; of objects in examples."""


def module_of(file):
    *parts, last = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts if last == "__init__" else [*parts, last])


MODULES = {module_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}
TAILS = {}
for _name in MODULES:
    bits = _name.split(".")
    for tail in (".".join(bits[k:]) for k in range(1, len(bits))):
        TAILS.setdefault(tail, []).append(_name)


def has(module, names):
    """Whether ``module`` has ``names[0]``, which has ``names[1]``, and so on; an annotated field ends the search."""
    found = importlib.import_module(module)
    for name in names:
        if name in getattr(found, "__annotations__", {}):
            return True
        if not hasattr(found, name):
            return False
        found = getattr(found, name)
    return True


def is_there(name):
    """Whether a dotted name is that of a module, from any room on, and of something in it; or of a setting."""
    words = name.split(".")
    heads = list(accumulate(words, "{}.{}".format))
    of_module = any(has(m, words[k:]) for k, head in enumerate(heads, 1) for m in TAILS.get(head, []))
    return of_module or name.removeprefix("config.") in SETTINGS or name in ELSEWHERE or words[-1] in SUFFIXES


SETTINGS = {head for name in by_option(RunConfig()) for head in accumulate(name.split("."), "{}.{}".format)}


def wrong(text):
    """What stands between backticks in a text, looks like a file, a folder or a name of the package, and is none."""
    for word in re.findall(r"(?<!`)`([\w./]+)`(?!`)", text):
        if re.fullmatch(r"(\w+/)*(\w+\.py|\w+/)", word):
            places = ROOT / word, PACKAGE / word
            if word not in OF_A_RUN and not any(place.exists() for place in places):
                yield word
        elif re.fullmatch(r"[a-z_]+(\.[A-Za-z_]\w*)+", word) and word.split(".")[0] in TAILS and not is_there(word):
            yield word


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_mentions_is_there(page):
    assert list(wrong(page.read_text())) == []


def test_what_docstrings_mention_is_there():
    found = {
        (name, word)
        for name, file in MODULES.items()
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for word in wrong(node.value.value)
    }
    assert found == set()


def test_a_name_that_is_gone_is_found():
    gone = "`spiking/nowhere.py`", "`nowhere/`", "`neurons.nothing`", "`spiking.layer.Layer.nothing`"
    assert [len(list(wrong(text))) for text in gone] == [1, 1, 1, 1]
    assert not list(wrong("`spiking/layer.py`, `spiking/`, `layer.Layer.learn`, `plasticity.lr`, `config.json`"))
