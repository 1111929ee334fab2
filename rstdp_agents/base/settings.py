"""Settings are frozen dataclasses: changed by dotted names, and read from JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from typeguard import CollectionCheckStrategy, TypeCheckError, check_type

from rstdp_agents.base import validate

Config = TypeVar("Config")


def override(config: Config, changes: Mapping[str, Any]) -> Config:
    """``config`` with some fields replaced, all at once, nested ones by dotted names: ``{"neuron.tau_m": 20.0}``."""
    fields: dict[str, Any] = {name: value for name, value in changes.items() if "." not in name}
    nested: dict[str, dict[str, Any]] = {}
    for name in changes.keys() - fields.keys():
        head, _, rest = name.partition(".")
        nested.setdefault(head, {})[rest] = changes[name]
    for head, own in nested.items():
        part: Any = fields.get(head, getattr(config, head))
        fields[head] = override(part, own)
    return replace(config, **fields)  # pyright: ignore[reportArgumentType]


def flat(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one level with dotted names."""
    out: dict[str, Any] = {}
    for name, value in nested.items():
        out.update(flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value})
    return out


def from_json(cls: type[Config], data: Any, prefix: str = "") -> Config:
    """The dataclass from its `dataclasses.asdict` in JSON. Raises ValueError naming what does not belong there.

    prefix: of names in errors.
    """
    validate.require(
        isinstance(data, Mapping), f"settings of {cls.__name__} must be a JSON object; received {data!r:.80}"
    )
    hints = get_type_hints(cls)
    unknown = sorted(data.keys() - hints.keys())
    validate.require(not unknown, f"unknown settings {', '.join(unknown)} for {cls.__name__}")
    return cls(**{name: _from_json(prefix + name, hints[name], value) for name, value in data.items()})


def _from_json(name: str, kind: Any, value: Any) -> Any:
    if is_dataclass(kind):
        group = "" if name == "agent" else f"{name}."
        return from_json(kind, value, group)  # pyright: ignore[reportArgumentType] (a class, not one of its objects)
    value = _tuples(value)
    wrong = isinstance(value, bool) and kind is not bool  # a bool is a number to Python
    try:
        check_type(value, kind, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
    except TypeCheckError:
        wrong = True
    validate.require(not wrong, f"`{name}` must be {_in_words(kind)}; received {value!r:.80}")
    return value


def _in_words(kind: Any) -> str:
    """A type in a message: the values of a Literal, else its name."""
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    return getattr(kind, "__name__", str(kind))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
