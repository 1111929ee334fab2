"""Constants by name, in Python and in compiled code: a NamedTuple of them as a NumPy record, one for each agent in an array.

Fields are numbers, truths, or NamedTuples of these; a field that is added to such a class is there in compiled code.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_type_hints

import numpy as np
from numba import types

from rstdp_agents.base.compiled import intrinsic


@cache
def record_type(kind: type) -> np.dtype:
    """The structured type of a NamedTuple class, from the types of its fields."""
    fields = get_type_hints(kind).items()
    return np.dtype([(name, record_type(of) if issubclass(of, tuple) else of) for name, of in fields], align=True)


def records(constants: tuple[Any, ...], count: int) -> np.ndarray:
    """``count`` records of a NamedTuple of constants, ``(count,)``."""
    return np.full(count, np.array(constants, dtype=record_type(type(constants))))


@intrinsic
def by_value(typingctx, record, kind):
    """The NamedTuple, of class ``kind``, that a record holds: what is stored meanwhile does not make it be read again."""
    value = _tuple_type(record, kind.instance_class)

    def codegen(context, builder, signature, args):
        return _read(context, builder, record, value, args[0])

    return value(record, kind), codegen


def _tuple_type(record: Any, kind: Any) -> types.NamedTuple:
    hints = get_type_hints(kind)
    fields = [(record.typeof(name), hints[name]) for name in kind._fields]
    return types.NamedTuple([_tuple_type(*f) if isinstance(f[0], types.Record) else f[0] for f in fields], kind)


def _read(context: Any, builder: Any, record: Any, value: Any, pointer: Any) -> Any:
    """The fields of a record, one after the other, as the tuple ``value``."""
    read = []
    for name, kind in zip(value.instance_class._fields, value.types, strict=True):
        field = context.get_getattr(record, name)(context, builder, record, pointer, name)
        nested = isinstance(kind, types.NamedTuple)
        read.append(_read(context, builder, record.typeof(name), kind, field) if nested else field)
    return context.make_tuple(builder, value, read)
