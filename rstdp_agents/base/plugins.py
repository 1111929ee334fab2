"""Parts of one's own, named ``module:Name`` or handed in from Python: found, called, checked; and optional packages."""

from __future__ import annotations

import copy
import functools
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from itertools import count
from pathlib import Path
from types import BuiltinFunctionType, ModuleType
from typing import Any

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.installation import PACKAGE
from rstdp_agents.base.wording import shown

_handed_in: dict[tuple[str, str], Any] = {}
"""What callers of this process handed in, by option and name: settings and checkpoints hold the name."""


def optional(module: str, extra: str) -> Any:
    """A module of an optional package, which type checkers need not have. Raises UsageError that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: pip install 'rstdp_agents[{extra}]'") from error


def is_plugin(name: str) -> bool:
    """Whether ``name`` is that of a part of one's own, ``module:Name``."""
    return ":" in name


def hand_in(option: str, part: Any, name: str = "") -> str:
    """Let ``part``, a class, function or instance, be what ``option`` means by a name in this process; returns the name.

    name: one that settings have already; if empty, ``module:Name`` of the part. Where that is found by import, a later part of
    the same name takes its place, as a class of a notebook does whose cell is run again; all others have names of their own.
    """
    found = name or name_of(part)
    own = _name(part)
    numbered = (own if n == 1 else f"{own}-{n}" for n in count(1))
    name = found or next(each for each in numbered if handed_in(option, each, part) is part)
    _handed_in[option, name] = part
    return name


def handed_in(option: str, name: str, default: Any = None) -> Any:
    """What was handed in as the value of ``option`` under this name, by a caller of this process; ``default`` if nothing was."""
    return _handed_in.get((option, name), default)


def _name(part: Any) -> str:
    """``module:Name`` of a class or function; of an instance, with the values of a dataclass that are not its defaults."""
    if is_maker(part):
        return f"{getattr(part, '__module__', '')}:{getattr(part, '__qualname__', type(part).__qualname__)}"
    held = [(f.name, getattr(part, f.name), f.default) for f in fields(part)] if is_dataclass(part) else []
    values = ", ".join(
        f"{name}={value!r}" for name, value, default in held if value is not default and value != default
    )
    return f"{type(part).__module__}:{type(part).__qualname__}({values})"


def is_maker(part: Any) -> bool:
    """Whether ``part`` is called to make something: a class or function, and no instance."""
    return isinstance(part, type | functools.partial) or inspect.isroutine(part)


def imported(name: str, option: str) -> ModuleType:
    """The module of ``module:Name``; ``option`` names it in errors. Raises UsageError where it is not there, or its import fails.

    It is looked for where Python looks, and in the current folder, which holds a user's own modules.
    """
    module = name.partition(":")[0]
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # only now that something is named: nothing else is to be found there
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:  # a script ends Python where it ends
        missing = isinstance(error, ModuleNotFoundError) and module.startswith(error.name or "?")
        reason = "there is no such module" if missing else f"its import fails: {said(error)}"
        raise UsageError(f"`{option} {name}`: {reason}") from error


def load(name: str, option: str) -> Callable[..., Any]:
    """The class or function ``module:Name``, also ``module:Class.method``; ``option`` names it in errors.

    What was handed in under that name comes first, an instance too. Raises UsageError where there is no such module, it cannot be
    imported, it has no such name, or that cannot be called.
    """
    if (option, name) in _handed_in:
        return _handed_in[option, name]
    module, _, path = name.partition(":")
    found: Any = imported(name, option)
    for part in path.split("."):
        if not hasattr(found, part):
            if module == "__main__" or not path.replace(".", "").isidentifier():
                word = option.removeprefix("--")
                raise UsageError(
                    f"`{option} {name}` was handed in from Python and is not found by import: "
                    f"load the run together with it, load(..., {word}=...)"
                )
            own = (word for word, value in vars(found).items() if callable(value) and not word.startswith("_"))
            raise UsageError(f"`{option} {name}`: no {part!r} in there, but {', '.join(own) or 'nothing to call'}")
        found = getattr(found, part)
    if not callable(found):
        raise UsageError(f"`{option} {name}` must be a class or a function; received {found!r}")
    return found


def load_maker(name: str, option: str, kind: type) -> Callable[..., Any]:
    """As `load`, for what makes a ``kind``: a class derived from it, or a function. Nothing else is ever called."""
    maker = load(name, option)
    fits = issubclass(maker, kind) if isinstance(maker, type) else not isinstance(maker, BuiltinFunctionType)
    if not fits:
        wanted = f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
        raise UsageError(f"`{option} {name}` must be a {wanted}, or a function that makes one; received {shown(maker)}")
    return maker


def build(option: str, name: str, kind: type, *arguments: Any) -> Any:
    """What the class or function ``module:Name`` makes of ``arguments``. Raises UsageError unless it has all that ``kind`` has.

    A dataclass that is called with options alone takes those that it has fields for (see `filled`); of an instance that was
    handed in, a copy is made. kind: a Protocol, whose public members are looked for, or a class of which an instance is expected.
    """
    protocol = getattr(kind, "_is_protocol", False)
    maker = load(name, option) if protocol else load_maker(name, option, kind)
    try:
        made = _made(maker, arguments)
    except (Exception, SystemExit) as error:
        takes = inspect.signature(maker) if isinstance(error, TypeError) else ""
        hint = f"; it is called with {len(arguments)} arguments and takes {takes}" if takes else ""
        raise UsageError(f"`{option} {name}` cannot be made: {said(error)}{hint}") from error
    if not protocol:
        if not isinstance(made, kind):
            raise UsageError(f"`{option} {name}` must make a {kind.__name__}; received {made!r}")
        return made
    missing = [member for member in members(kind) if not hasattr(made, member)]
    if missing:
        raise UsageError(f"`{option} {name}` makes no {kind.__name__}: {', '.join(missing)} missing in {made!r}")
    return made


def _made(maker: Any, arguments: tuple[Any, ...]) -> Any:
    if not is_maker(maker):
        return copy.deepcopy(maker)
    if isinstance(maker, type) and is_dataclass(maker) and [is_dataclass(options) for options in arguments] == [True]:
        return filled(maker, arguments[0])
    return maker(*arguments)


def filled(kind: type, options: Any) -> Any:
    """A dataclass with those of its fields that ``options`` has by the same names; the others have their defaults."""
    return kind(**{f.name: getattr(options, f.name) for f in fields(kind) if f.init and hasattr(options, f.name)})


def members(protocol: type) -> list[str]:
    """Methods and properties that a Protocol asks for."""
    return [name for name in vars(protocol) if name == "__call__" or not name.startswith("_")]


def name_of(part: Callable[..., Any]) -> str | None:
    """``module:Name`` of a class or function, if it is found again under that name."""
    module, name = getattr(part, "__module__", None), getattr(part, "__qualname__", "")
    found: Any = sys.modules.get(module or "")
    for step in name.split("."):
        found = getattr(found, step, None)
    return f"{module}:{name}" if found is part else None


def said(error: BaseException) -> str:
    """Kind, words and place of an error, in one line; the place is the last line of a file outside of installed packages."""
    frames = traceback.extract_tb(error.__traceback__)
    here = str(PACKAGE)
    own = [f for f in frames if not any(part in f.filename for part in (here, "site-packages", "<frozen", "importlib"))]
    place = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}{place}" if words else f"{type(error).__name__}{place}"
