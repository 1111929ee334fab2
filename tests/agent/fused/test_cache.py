"""Compiled code on disk: found again, mended where it is damaged, done without where it cannot be kept."""

import errno
import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from numba.core.errors import TypingError

from rstdp_agents.base import compiled as cache
from rstdp_agents.equations.random_numbers import draw_rows

ROOT = Path(__file__).parents[3]


def make():
    """A compiled function of its own, which finds what another of the same sources has left."""

    def double(x):
        return x + x

    return cache.entry()(double)


def hits(function):
    return sum(function.stats.cache_hits.values()), sum(function.stats.cache_misses.values())


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """Two folders, the better one first."""
    found = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setattr(cache, "folders", lambda: iter(found))
    monkeypatch.setattr(cache, "_said", set())
    monkeypatch.setattr(cache, "ENTRIES", set())
    monkeypatch.setattr(cache._config, "CACHE_DIR", "")
    return found


def kept(folder):
    """Files of code; locks have names that begin with a dot."""
    return sorted(file for file in folder.glob("*") if not file.name.startswith("."))


def test_code_is_kept_for_each_signature_and_found_again(places):
    first, second = make(), make()
    assert not cache.is_compiled("test_code_is_kept_for_each_signature_and_found_again")
    assert (first(2), first(0.25)) == (4, 0.5)
    assert (hits(first), len(kept(places[0])), kept(places[1])) == ((0, 2), 2, [])
    assert (second(0.5), second(3)) == (1.0, 6)
    assert hits(second) == (2, 0)


def test_is_compiled_tells_of_an_entry(places):
    assert not cache.is_compiled()
    places[1].mkdir()
    (places[1] / "step.step.0123456789abcdef").touch()  # what an entry calls is none
    assert not cache.is_compiled()
    (places[1] / "kernel.kernel.0123456789abcdef").touch()
    assert cache.is_compiled()
    assert not cache.is_compiled("act")


def shortened(length):
    return lambda data: data[:length]


def flipped(place):
    return lambda data: data[:place] + bytes([data[place] ^ 1]) + data[place:][1:]


DAMAGE = [
    *map(shortened, (0, 1, 31, 32, 33, 500, -1)),
    *map(flipped, (0, 31, 32, 33, 40, 1000, -1)),
    lambda data: bytes(len(data)),
    lambda data: data + b"\0",
    lambda data: data[::-1],
    lambda data: b"\x80\x04" + data,  # begins as a pickle does
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_code_is_not_run_but_made_anew_and_one_line_says_so(places, damage, caplog):
    make()(2)
    (file,) = kept(places[0])
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    second, third = make(), make()
    assert (second(4), hits(second)) == (8, (0, 1))
    assert [record.message for record in caplog.records] == [
        f"{file} is damaged (its content does not match its checksum): it is compiled again"
    ]
    assert (third(4), hits(third), kept(places[0])) == (8, (1, 0), [file])


@pytest.mark.parametrize("content", [b"", b"no pickle", cache.dumps(1), cache.dumps(("key", "code"))])
def test_content_that_is_whole_but_no_code_of_ours_is_not_run(places, content):
    make()(2)
    (file,) = kept(places[0])
    cache.write(file, content)
    second, third = make(), make()
    assert (second(4), hits(second)) == (8, (0, 1))
    assert (third(4), hits(third)) == (8, (1, 0))


def test_code_of_another_signature_under_the_same_name_is_not_taken(places):
    made = make()
    made(2), made(0.5)
    one, other = kept(places[0])
    one.write_bytes(other.read_bytes())
    again = make()
    assert (again(4), again(0.25)) == (8, 0.5)
    assert hits(again) == (1, 1)


def test_a_folder_that_goes_away_while_code_runs_comes_back(places):
    made = make()
    made(2)
    shutil.rmtree(places[0])
    assert (made(0.5), len(kept(places[0]))) == (1.0, 1)


def test_where_the_first_folder_cannot_be_made_the_second_is_taken(places, caplog, monkeypatch):
    places[0].write_text("a file, where a folder should be")
    first, second = make(), make()
    assert (first(2), second(2)) == (4, 4)
    assert (hits(first), hits(second), len(kept(places[1])), caplog.records) == ((0, 1), (1, 0), 1, [])
    monkeypatch.setattr(cache, "temporary", lambda: places[1])
    make()(0.5)
    assert [record.message for record in caplog.records] == [
        f"compiled code is stored in {places[1]}, because it cannot be in {places[0]}: File exists"
    ]


def test_without_room_code_is_compiled_in_memory_and_one_line_says_so(places, caplog, monkeypatch):
    def write_bytes(path, data):
        with open(path, "wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    made, again = make(), make()
    assert (made(2), made(0.5), again(2)) == (4, 1.0, 4)
    assert (hits(made), hits(again), kept(places[0]), kept(places[1])) == ((0, 2), (0, 1), [], [])
    (record,) = caplog.records
    assert record.message == (
        "compiled code cannot be stored, so every start compiles again "
        f"({places[0]}: No space left on device; {places[1]}: No space left on device)"
    )


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o702])
def test_a_temporary_folder_that_others_can_write_to_is_not_believed(places, mode, monkeypatch, tmp_path):
    shared = tmp_path / "shared"
    monkeypatch.setattr(cache, "temporary", lambda: shared)
    places[:] = [shared]
    make()(2)
    assert (len(kept(shared)), oct(shared.stat().st_mode & 0o777)) == (1, "0o700")
    assert cache.is_private(shared)
    shared.chmod(mode)
    assert not cache.is_private(shared)
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        cache.write(shared / "file", b"")


def test_a_link_among_temporary_files_is_not_believed(tmp_path):
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("mine")
    assert cache.is_private(tmp_path / "mine")
    assert not cache.is_private(tmp_path / "link")


def looked_for(**environment):
    """Parents of the folders that a process looks into, and its digest."""
    code = "from rstdp_agents.base.compiled import *; print(*(folder.parent for folder in folders()), digest())"
    env = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, cwd=ROOT, env=env | environment, capture_output=True, text=True, check=True)
    *found, digest = done.stdout.split()
    return found, digest


@pytest.mark.slow
def test_where_code_is_looked_for():
    beside = str(ROOT / "rstdp_agents" / "base" / "__pycache__")
    found, digest = looked_for(HOME="/home/me", TMPDIR="/tmp")
    assert found == [beside, "/home/me/.cache/rstdp_agents", "/tmp"]
    assert looked_for(HOME="/home/me", XDG_CACHE_HOME="/cache", TMPDIR="/tmp")[0] == [
        beside, "/cache/rstdp_agents", "/tmp",
    ]  # fmt: skip
    assert looked_for(XDG_CACHE_HOME="not/absolute", TMPDIR="/tmp")[0] == [beside, "/tmp"]
    assert looked_for(NUMBA_CACHE_DIR="/own", TMPDIR="/tmp") == (["/own", "/tmp"], digest)
    assert looked_for(NUMBA_CACHE_DIR="/own", NUMBA_OPT="0")[1] != digest


def test_code_is_compiled_anew_after_a_change_of_any_source_that_it_is_made_of():
    sources = set(cache._sources())
    package = ROOT / "rstdp_agents"
    assert {
        *package.glob("equations/[a-z]*.py"),
        package / "base/records.py",
        package / "agent/fused/step.py",
    } <= sources


def test_another_version_of_the_compiler_has_code_of_its_own(monkeypatch):
    here = cache.digest()
    for module in (cache.numba, cache.llvmlite):
        cache.digest.cache_clear()
        with monkeypatch.context() as other:
            other.setattr(module, "__version__", "0.0.1")
            assert cache.digest() != here
    cache.digest.cache_clear()
    assert cache.digest() == here


@pytest.mark.slow
def test_where_nothing_may_be_compiled_the_torch_backend_runs_and_draws_the_same(tmp_path):
    code = """
import sys, torch
from rstdp_agents.tools import cli
from rstdp_agents.spiking.agent_random import uniform_draws
print((uniform_draws(torch.tensor([3, 2**40]), 5, 2**32 - 40, 7, 9, 5) * 2**24).long().tolist())
short = ["--total-steps", "60", "--eval-episodes", "0", "--images", "0", "--no-progress", "--run-dir"]
print(cli.main([*short, "one"]), cli.main([*short, "two", "--backend", "fused"]))
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    numbers, *_, codes = done.stdout.splitlines()
    assert codes == "0 2"
    assert done.stderr.splitlines() == [
        "the fused backend is not used: NUMBA_DISABLE_JIT forbids to compile anything",
        "error: the fused backend cannot run this agent: NUMBA_DISABLE_JIT forbids to compile anything",
    ]
    assert not (tmp_path / "two").exists()
    drawn = draw_rows(np.array([3, 2**40]), 5, 2**32 - 40, 7, 9, 5)
    assert numbers == str((drawn.astype(np.float64) * 2**24).astype(int).tolist())


WAITING = """
import sys, time
from pathlib import Path
from rstdp_agents.base.compiled import entry

@entry()
def doubled(x):
    return 2 * x

cache, folder = doubled._cache, Path(sys.argv[1])
taken = cache._take_turn
def take(key):
    (folder / sys.argv[2]).touch()
    return taken(key)
cache._take_turn = take
if sys.argv[2] == "first":
    saved = cache.save_overload
    def save(sig, data):
        while not (folder / "second").exists():
            time.sleep(0.01)
        saved(sig, data)
    cache.save_overload = save
else:
    while not (folder / "first").exists():
        time.sleep(0.01)
print(doubled(4), sum(doubled.stats.cache_hits.values()), sum(doubled.stats.cache_misses.values()))
"""


@pytest.mark.slow
def test_of_two_processes_that_need_the_same_code_one_compiles_it(tmp_path):
    code = tmp_path / "of_two.py"
    code.write_text(WAITING)
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "compiled")}
    both = [
        subprocess.Popen([sys.executable, code, tmp_path, name], env=environment, text=True, stdout=subprocess.PIPE)
        for name in ("first", "second")
    ]
    assert [each.communicate(timeout=100)[0].split() for each in both] == [["8", "0", "1"], ["8", "1", "0"]]
    assert [each.returncode for each in both] == [0, 0]


def test_after_code_that_cannot_be_compiled_nobody_waits_for_it_and_garbage_is_collected(places):
    def no_code(x):
        return x.no_such_attribute

    with pytest.raises(TypingError, match="no_such_attribute"):
        cache.entry()(no_code)(2)
    (lock,) = places[0].glob(".*.lock")
    with FileLock(lock, timeout=0):
        assert gc.isenabled()


def test_code_that_another_process_is_stuck_with_is_compiled_all_the_same(places, monkeypatch):
    monkeypatch.setattr(cache, "WAIT", 0.1)
    make()(2)
    (file,) = kept(places[0])
    file.unlink()
    with FileLock(cache.lock_of(file)):
        second = make()
        assert (second(4), hits(second), kept(places[0])) == (8, (0, 1), [file])
