"""Parts of one's own, named ``module:Name``: found, called, checked for what is expected of them; and optional packages."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import BuiltinFunctionType, ModuleType
from typing import Any

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.installation import PACKAGE
from rstdp_agents.base.wording import shown


def optional(module: str, extra: str) -> Any:
    """A module of an optional package, which type checkers need not have. Raises UsageError that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: pip install 'rstdp_agents[{extra}]'") from error


def is_plugin(name: str) -> bool:
    """Whether ``name`` is that of a part of one's own, ``module:Name``."""
    return ":" in name


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

    Raises UsageError where there is no such module, it cannot be imported, it has no such name, or that cannot be called.
    """
    found: Any = imported(name, option)
    for part in name.partition(":")[2].split("."):
        if not hasattr(found, part):
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

    kind: a Protocol, whose public members are looked for, or a class, of which an instance is expected.
    """
    protocol = getattr(kind, "_is_protocol", False)
    maker = load(name, option) if protocol else load_maker(name, option, kind)
    try:
        made = maker(*arguments)
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
