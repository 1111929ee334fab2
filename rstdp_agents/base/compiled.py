"""Compiled code, kept on disk: found again by whoever has the same sources, compiler and processor, and checked before it is run.

A file holds the code of one function for one signature, behind a SHA-256 digest of it: from a file that is damaged nothing is
unpickled or run, and the function is compiled anew. Numba's own cache believes what it finds, and looks only at the file that a
function stands in, not at those it calls into; here the folder's name is a digest of all sources that compile.

What Python calls is an `entry`, and into each of these everything below it is inlined. A function that was not would exist twice
in a process that compiles, once for itself and once in its caller, vectorised in different ways: the first run after a change
would round otherwise than all that load the same code from the disk.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import platform
import tempfile
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from llvmlite import binding
from numba import config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.extending import intrinsic as numba_intrinsic
from numba.extending import register_jitable

from rstdp_agents.base.installation import PACKAGE

logger = logging.getLogger(__name__)

_config: Any = config  # its settings are made at run time, unseen by type checkers
_NullCache: Any = NullCache  # none of its types are declared
intrinsic: Any = numba_intrinsic  # callers do not give the first argument, which type checkers cannot know
ENABLED = not _config.DISABLE_JIT
"""Whether anything is compiled: not under ``NUMBA_DISABLE_JIT=1``."""
SETTINGS = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE")
"""Settings of Numba that the code depends on."""
ENTRIES: set[str] = set()
"""Names of the compiled functions that Python calls, as far as their modules have been imported."""
FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered and fused, so that loops vectorise; infinities and NaN keep their meaning."""
_said: set[str] = set()
DIGEST = hashlib.sha256().digest_size
"""Bytes at the beginning of a file."""


def jit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit` whose code is kept in `folders`."""

    def decorate(function: Callable[..., Any]) -> Any:
        made: Any = numba.njit(**options)(function)
        if ENABLED:
            made._cache = Kept(f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}")
        return made

    return decorate


def entry(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`jit` of a function that Python calls."""

    def decorate(function: Callable[..., Any]) -> Any:
        ENTRIES.add(f"{function.__module__}.{function.__qualname__}")
        return jit(**options)(function)

    return decorate


def equation(function: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function of Python that compiled code may call too: it is inlined there, whatever the types of its arguments."""
    return register_jitable(forceinline=True, fastmath=FAST)(function)


def is_compiled(name: str = "step") -> bool:
    """Whether there is code of an entry for this machine: if not, its first call compiles for a minute or so.

    It may be code for another signature: observations of each number type are compiled for once.
    """
    return any(next(folder.glob(f"*.{name}.*"), None) for folder in folders())


class Kept(_NullCache):
    """Where a compiled function looks for its code before it compiles, and puts it afterwards."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def cache_path(self) -> str:
        """Of `folders` the first."""
        return str(next(folders()))

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        """The code for a signature; None if it has to be compiled."""
        target_context.refresh()
        key = sig, target_context.codegen().magic_tuple()
        for file in self._files(key):
            try:
                known, code = pickle.loads(read(file))
                if known == key:
                    return CompileResult._rebuild(target_context, *code)
            except OSError:  # it is not there, or not for us to read
                continue
            except Exception as error:
                say("damaged", f"{file} is damaged ({error}): it is compiled anew")
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the code for a signature in the first folder that takes it."""
        if data.library.has_dynamic_globals:  # addresses of this process
            return
        key, refused = (sig, data.codegen.magic_tuple()), []
        content = dumps((key, data._reduce()))
        for file in self._files(key):
            try:
                write(file, content)
            except OSError as error:
                refused.append(f"{file.parent}: {error.strerror or error}")
                continue
            if refused and (_config.CACHE_DIR or file.parent == temporary()):
                say("elsewhere", f"compiled code is kept in {file.parent}, as it cannot be in {refused[0]}")
            return
        say("nowhere", f"compiled code cannot be kept, so that every start compiles anew ({'; '.join(refused)})")

    def _files(self, key: Any) -> Iterator[Path]:
        name = f"{self._name}.{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"
        return (folder / name for folder in folders())


def folders() -> Iterator[Path]:
    """Where code may be, the best first: where NUMBA_CACHE_DIR says, or beside the sources and in the user's cache; temporary."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if _config.CACHE_DIR:
        yield Path(_config.CACHE_DIR) / digest()
    else:
        yield Path(__file__).parent / "__pycache__" / digest()
        if os.path.isabs(home):  # it begins with ~ where nobody knows of a home
            yield Path(home) / "rstdp_agents" / digest()
    last = temporary()
    if last is not None and (not last.exists() or is_private(last)):
        yield last


@cache
def temporary() -> Path | None:
    """The user's own folder among temporary files, if there are such."""
    try:
        return Path(tempfile.gettempdir()) / f"rstdp_agents-{_user()}-{digest()}"
    except FileNotFoundError:
        return None


def is_private(folder: Path) -> bool:
    """Whether nobody else can write to a folder among temporary files: what lies there is run."""
    status = folder.lstat()
    return status.st_uid == _user() and not status.st_mode & 0o022 and folder.is_dir() and not folder.is_symlink()


@cache
def digest() -> str:
    """Of all that code depends on beside its signature: sources, versions, processor, settings of Numba."""
    sources = sorted((file.name, file.read_bytes()) for file in _sources())
    versions = platform.python_version(), numba.__version__, llvmlite.__version__
    machine = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    settings = [str(getattr(_config, name)) for name in SETTINGS]
    return hashlib.sha256(repr((sources, versions, machine, settings)).encode()).hexdigest()[:16]


def read(file: Path) -> bytes:
    """Content that `write` wrote. Raises OSError where there is none, ValueError where it is another."""
    found = file.read_bytes()
    if hashlib.sha256(found[DIGEST:]).digest() != found[:DIGEST]:
        raise ValueError("its content does not fit its checksum")
    return found[DIGEST:]


def write(file: Path, content: bytes) -> None:
    """Write a file and its folder; readers find all of it or nothing. Raises OSError where that cannot be done."""
    mine = file.parent == temporary()
    file.parent.mkdir(mode=0o700 if mine else 0o777, parents=True, exist_ok=True)
    if mine and not is_private(file.parent):
        raise PermissionError("it belongs to somebody else")
    partial = file.parent / f".{uuid.uuid4().hex}"
    try:
        partial.write_bytes(hashlib.sha256(content).digest() + content)
        partial.replace(file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def say(kind: str, line: str) -> None:
    """Tell a person, once of each kind: there are many functions."""
    if kind not in _said:
        _said.add(kind)
        logger.warning(line)


def _sources() -> Iterator[Path]:
    """All files of the package that compile something, this one included."""
    for file in PACKAGE.rglob("*.py"):
        if __name__.encode() in file.read_bytes() or file == Path(__file__):
            yield file


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
