"""A disk cache of compiled code, shared by processes with the same sources, compiler and processor, and verified before it runs.

A file holds the code of one function for one signature, preceded by its SHA-256 digest: nothing in a damaged file is unpickled
or run, and the function is compiled again. Numba's own cache trusts what it finds, and checks only the file that defines a
function, not those it calls into; here the folder's name is a digest of all sources that compile.

Functions that Python calls are `entry` points. What they call is compiled within them and nowhere else (`compiler`), so that a
process that compiles and one that loads the same code from disk round alike.
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
from filelock import FileLock, Timeout
from llvmlite import binding
from numba import config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.extending import intrinsic as numba_intrinsic
from numba.extending import overload

from rstdp_agents.base.compiler import InlinedCompiler, WholeCompiler
from rstdp_agents.base.garbage import uncollected
from rstdp_agents.base.installation import PACKAGE
from rstdp_agents.base.progress import doing

logger = logging.getLogger(__name__)

_config: Any = config  # its settings are created at run time, invisible to type checkers
_NullCache: Any = NullCache  # it declares no types
_njit: Any = numba.njit  # nor does it all options
intrinsic: Any = numba_intrinsic  # callers omit its first argument, which type checkers cannot know
ENABLED = not _config.DISABLE_JIT
"""Whether anything is compiled: not with ``NUMBA_DISABLE_JIT=1``."""
SETTINGS = ("OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE")
"""Numba settings that the code depends on."""
ENTRIES: set[str] = set()
"""Names of the compiled functions that Python calls, in the modules imported so far."""
FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered and fused, so that loops vectorise; infinities and NaN keep their meaning."""
_said: set[str] = set()
WAIT = 120.0
"""Seconds that a process waits for another that compiles what it needs; it is done by then, or stuck."""
DIGEST = hashlib.sha256().digest_size
"""Bytes at the beginning of a file."""


INLINED: Any = {
    "forceinline": True, "error_model": "numpy", "no_cfunc_wrapper": True, "pipeline_class": InlinedCompiler
}  # fmt: skip
"""Options of a small function that is inlined wherever it is called, for `numba.extending.overload`."""


def jit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit` of a function that compiled code calls, and Python cannot."""
    return _njit(
        **options, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=InlinedCompiler
    )


def entry(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit` of a function that Python calls, whose code is cached in `folders`."""

    def decorate(function: Callable[..., Any]) -> Any:
        ENTRIES.add(f"{function.__module__}.{function.__qualname__}")
        made = _njit(**options, error_model="numpy", no_cfunc_wrapper=True, pipeline_class=WholeCompiler)(function)
        if ENABLED:
            made._cache = kept = Kept(f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}")
            made._compiler.compile = kept.compiling(made._compiler.compile)
        return made

    return decorate


def equation(function: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function of Python that compiled code may call too: it is inlined there, whatever the types of its arguments."""
    options: Any = INLINED | {"fastmath": FAST}
    overload(function, jit_options=options, strict=False)(lambda *args, **kwargs: function)
    return function


def is_compiled(name: str = "kernel") -> bool:
    """Whether code of an entry is cached for this machine: if not, its first call compiles for a minute or so.

    The code may be for another signature: each number type of observations is compiled once.
    """
    return any(next(folder.glob(f"*.{name}.*"), None) for folder in folders())


class Kept(_NullCache):
    """The cache of one compiled function: consulted before it compiles, filled afterwards."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._turn: FileLock | None = None
        """Held while this process compiles; others that want the same code wait for it, and load it."""

    @property
    def cache_path(self) -> str:
        """The first of `folders`."""
        return str(next(folders()))

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        """The code for a signature; None if it has to be compiled, after waiting for a process that does just that."""
        target_context.refresh()
        key = sig, target_context.codegen().magic_tuple()
        code = self._find(key, target_context)
        if code is None:
            self._turn = self._take_turn(key)
            code = self._find(key, target_context)
        if code is not None:
            self._end_turn()
        return code

    def _find(self, key: Any, target_context: Any) -> CompileResult | None:
        for file in self._files(key):
            try:
                known, code = pickle.loads(read(file))
                if known == key:
                    return CompileResult._rebuild(target_context, *code)
            except OSError:  # missing, or not readable
                continue
            except Exception as error:
                say("damaged", f"{file} is damaged ({error}): it is compiled again")
        return None

    def compiling(self, compile_: Callable[..., Any]) -> Callable[..., Any]:
        """A function that compiles; if it fails, others have their turn."""

        def compile_in_turn(*args: Any) -> Any:
            try:
                with uncollected():
                    return compile_(*args)
            except BaseException:
                self._end_turn()
                raise

        return compile_in_turn

    def save_overload(self, sig: Any, data: Any) -> None:
        """Store the code for a signature in the first writable folder."""
        self._save(sig, data)
        self._end_turn()

    def _take_turn(self, key: Any) -> FileLock | None:
        """The lock of the first writable folder, held; None if there is none, or waiting took too long."""
        for file in self._files(key):
            try:
                prepare(file.parent)
                lock = FileLock(lock_of(file))
                try:
                    lock.acquire(0)
                except Timeout:
                    with doing("waiting for another process to compile"):
                        lock.acquire(WAIT)
                return lock
            except Timeout:
                return None
            except (OSError, NotImplementedError):  # a file system without locks, for instance
                continue
        return None

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.release()
            self._turn = None

    def _save(self, sig: Any, data: Any) -> None:
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
                say("elsewhere", f"compiled code is stored in {file.parent}, because it cannot be in {refused[0]}")
            return
        say("nowhere", f"compiled code cannot be stored, so every start compiles again ({'; '.join(refused)})")

    def _files(self, key: Any) -> Iterator[Path]:
        name = f"{self._name}.{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"
        return (folder / name for folder in folders())


def lock_of(file: Path) -> Path:
    """The file that is locked while the code of another is compiled."""
    return file.with_name(f".{file.name.replace('.', '-')}.lock")


def folders() -> Iterator[Path]:
    """Cache folders, best first: NUMBA_CACHE_DIR, or else beside the sources and the user's cache; then a temporary one."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if _config.CACHE_DIR:
        yield Path(_config.CACHE_DIR) / digest()
    else:
        yield Path(__file__).parent / "__pycache__" / digest()
        if os.path.isabs(home):  # it starts with ~ if there is no home
            yield Path(home) / "rstdp_agents" / digest()
    last = temporary()
    if last is not None and (not last.exists() or is_private(last)):
        yield last


@cache
def temporary() -> Path | None:
    """The user's own folder among temporary files, None if there are no temporary files."""
    try:
        return Path(tempfile.gettempdir()) / f"rstdp_agents-{_user()}-{digest()}"
    except FileNotFoundError:
        return None


def is_private(folder: Path) -> bool:
    """Whether nobody else can write to a temporary folder: its content is run."""
    status = folder.lstat()
    return status.st_uid == _user() and not status.st_mode & 0o022 and folder.is_dir() and not folder.is_symlink()


@cache
def digest() -> str:
    """Digest of everything that code depends on besides its signature: sources, versions, processor, Numba settings."""
    sources = sorted((file.name, file.read_bytes()) for file in _sources())
    versions = platform.python_version(), numba.__version__, llvmlite.__version__
    machine = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    settings = [str(getattr(_config, name)) for name in SETTINGS]
    return hashlib.sha256(repr((sources, versions, machine, settings)).encode()).hexdigest()[:16]


def read(file: Path) -> bytes:
    """Content that `write` wrote. Raises OSError if there is none, ValueError if it was altered."""
    found = file.read_bytes()
    if hashlib.sha256(found[DIGEST:]).digest() != found[:DIGEST]:
        raise ValueError("its content does not match its checksum")
    return found[DIGEST:]


def write(file: Path, content: bytes) -> None:
    """Write a file and its folder; readers find all of it or nothing. Raises OSError if that is impossible."""
    prepare(file.parent)
    partial = file.parent / f".{uuid.uuid4().hex}"
    try:
        partial.write_bytes(hashlib.sha256(content).digest() + content)
        partial.replace(file)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def prepare(folder: Path) -> None:
    """Make one of `folders`. Raises OSError if that is impossible."""
    mine = folder == temporary()
    folder.mkdir(mode=0o700 if mine else 0o777, parents=True, exist_ok=True)
    if mine and not is_private(folder):
        raise PermissionError("it belongs to somebody else")


def say(kind: str, line: str) -> None:
    """Warn once per kind: there are many functions."""
    if kind not in _said:
        _said.add(kind)
        logger.warning(line)


def _sources() -> Iterator[Path]:
    """All files of the package that compile something, or say how."""
    for file in PACKAGE.rglob("*.py"):
        content = file.read_bytes()
        if __name__.encode() in content or b"numba" in content:
            yield file


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
