import shutil
import subprocess
from pathlib import Path

import pytest

import rstdp_agents
from rstdp_agents.training.runs.folder import PACKAGE, commit

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="needs git")


def git(folder, *words):
    line = ["git", "-C", folder, "-c", "user.name=n", "-c", "user.email=n@example.org", *words]
    return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def clone(tmp_path):
    """A clone of a repository that holds a package two folders deep."""
    first = tmp_path / "first"
    (first / "src" / "package").mkdir(parents=True)
    (first / "src" / "package" / "__init__.py").write_text("one = 1\n")
    (first / ".gitignore").write_text(".venv\n")
    git(first, "init", "-q")
    git(first, "add", ".")
    git(first, "commit", "-q", "-m", "one")
    git(tmp_path, "clone", "-q", first, "clone")
    return tmp_path / "clone"


def test_the_package_is_this_one():
    assert Path(rstdp_agents.__file__).resolve().parent == PACKAGE


def test_a_package_in_a_clone_has_its_commit_and_a_plus_where_files_differ(clone):
    package, head = clone / "src" / "package", git(clone, "rev-parse", "HEAD")
    assert len(head) == 40
    assert commit(package) == head
    git(clone, "worktree", "add", "-q", "../beside")
    assert commit(clone.parent / "beside" / "src" / "package") == head
    (package / "__init__.py").write_text("one = 2\n")
    assert commit(package) == head + "+"


@pytest.mark.parametrize("place", [".venv/lib/site-packages", "vendored"])
def test_a_package_that_lies_in_the_clone_of_something_else_has_none(clone, place):
    package = clone / place / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    assert commit(package) == ""


def test_a_package_outside_of_any_clone_has_none_though_a_hook_says_where_git_is(clone, monkeypatch):
    outside = clone.parent / "package"
    outside.mkdir()
    (outside / "__init__.py").touch()
    assert commit(outside) == ""
    monkeypatch.setenv("GIT_DIR", str(clone / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(clone))
    assert commit(outside) == ""
    assert commit(clone / "src" / "package") == git(clone, "rev-parse", "HEAD")


def test_without_git_or_a_first_commit_there_is_none(clone, monkeypatch, tmp_path):
    git(tmp_path, "init", "-q", "new")
    (tmp_path / "new" / "__init__.py").touch()
    git(tmp_path / "new", "add", ".")
    assert commit(tmp_path / "new") == ""
    monkeypatch.setenv("PATH", "")
    assert commit(clone / "src" / "package") == ""
