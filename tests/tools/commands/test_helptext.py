import ast
import inspect
import re
from dataclasses import fields, is_dataclass
from itertools import pairwise
from typing import get_type_hints

import pytest

from rstdp_agents.tools import cli
from rstdp_agents.tools.commands import eval as evaluation
from rstdp_agents.tools.commands import export, helptext, plot, report, sweep, video
from rstdp_agents.tools.commands import inspect as inspection
from rstdp_agents.training.config import RunConfig

OTHERS = {"eval": evaluation, "video": video, "plot": plot, "report": report, "inspect": inspection, "export": export}
WIDTHS = [50, 80, 120, 140, 200, 400]


def classes(kind):
    """A dataclass, those that it is made of, and those in its fields."""
    yield from reversed(kind.__mro__[:-1])
    for field in get_type_hints(kind).values():
        if is_dataclass(field):
            yield from classes(field)


def documented(kind):
    """What stands under the fields of a dataclass, by name: one line of words."""
    out = {}
    for one in classes(kind):
        body = ast.parse(inspect.cleandoc(inspect.getsource(one))).body[0].body
        for field, doc in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant):
                out[field.target.id] = " ".join(doc.value.value.split())
    return out


def paragraphs(text):
    """The texts of options in a help page, each as its lines without their box."""
    inner = [line[2:-2].rstrip() for line in text.splitlines() if line.startswith("│ ")]
    out = []
    for line in inner:
        if not line.startswith(helptext.INDENT):
            out.append([])
        else:
            out[-1].append(line.strip())
    return [lines for lines in out if lines]


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("line", ["train --help all", "sweep --help search", *(f"{name} --help" for name in OTHERS)])
def test_texts_of_options_are_as_wide_as_the_terminal(line, columns, command, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    code, out, err = command(*line.split())
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= columns
    boxes = [row for row in out.splitlines() if row.startswith(("╭", "│", "╰"))]
    assert {len(row) for row in boxes} == {columns}
    room = columns - 4 - len(helptext.INDENT)
    for text in paragraphs(out):
        for above, below in pairwise(text):
            assert len(above) + 1 + len(below.split()[0]) > room  # it would not have fitted above
    head = out[: out.index("╭")].split("\n\n")
    for text in (part.splitlines() for part in head):
        for above, below in pairwise(text):
            assert len(above) + 1 + len(below.split()[0]) > columns


def test_every_option_says_all_that_stands_under_its_field(command):
    shown = {"train": RunConfig, "sweep": sweep.Args, **{name: module.Args for name, module in OTHERS.items()}}
    for name, kind in shown.items():
        out = command(name, "--help", *(["all"] if name in ("train", "sweep") else []))[1]
        words = " ".join(" ".join(lines) for lines in paragraphs(out))
        missing = [field for field, text in documented(kind).items() if text.replace("``", "`") not in words]
        assert not missing, (name, missing)
        assert len(documented(kind)) >= len(fields(kind)) - 1


def test_help_of_sweep_is_its_own_options_and_those_of_training_by_group(command):
    code, out, _ = command("sweep", "--help")
    assert code == 0
    assert out.startswith("usage: train.py sweep [-h]")
    assert re.findall(r"(?m)^│ (--[\w-]+)", out)[:3] == ["--space", "--trials", "--at-once"]
    names = out.split("other groups, by --help GROUP: ")[1].replace("\n", " ").strip().split(", ")
    assert names[:3] == ["run", "machine", "records"]
    assert names[-1] == "all"
    shown = [
        set(re.findall(r"(?m)^│ .*?(--[\w.-]+)", command("sweep", "--help", each)[1])) for each in ["search", *names]
    ]
    assert shown[-1] == set().union(*shown[:-1]) >= {"--space", "--env", "--plasticity.tau-e"}
    assert command("sweep", "--help", "nothing")[::2] == (
        2,
        f"error: unknown group of options 'nothing'; groups are search, {', '.join(names)}\n",
    )


def test_commands_of_the_front_page_have_a_help(command):
    for name in cli.COMMANDS:
        assert command(name, "--help")[1].startswith(f"usage: train.py {'' if name == 'train' else name + ' '}[-h]")
