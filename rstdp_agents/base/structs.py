"""Many arrays in one object, which compiled code takes in a single argument and reads by name.

A `Struct` is a block of memory that holds what compiled code knows an array by, one array after the other: a `views.View` of
each. An attribute is read at its place, counts no references, and costs a line of code; numba's own structures write out
their whole type every time, so that compiling takes several times as long. The arrays live as long as the object.

A `Known` truth or number is part of the type of an object. What a branch on it leaves out is not compiled (`known_reads`), so
that compiling costs what a configuration uses, and not what there is.
"""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir as llvm
from numba import types
from numba.core import ir
from numba.core.datamodel import models
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global, signature
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_builtin,
    lower_getattr_generic,
    register_model,
    typeof_impl,
    unbox,
)

from rstdp_agents.base.views import View, view_of

_infer_global: Any = infer_global  # its type says that it may be None
WORD = 8
"""Bytes."""


class StructType(types.Type):
    """The type of a `Struct` in compiled code, by the names and types of its fields."""

    def __init__(self, kind: str, fields: tuple[tuple[str, types.Type], ...]) -> None:
        self.fields = dict(fields)
        self.places, place = {}, 0
        for name, field in fields:
            self.places[name], place = place, place + _words(field)
        self.words = place
        super().__init__(f"{kind}.{hashlib.sha256(repr(fields).encode()).hexdigest()[:16]}")


class ListType(types.Type):
    """The type of a list of structs of type ``of`` in compiled code: where their addresses lie, and how many they are."""

    def __init__(self, of: StructType) -> None:
        self.of = of
        super().__init__(f"list of {of.name}")


class Known(NamedTuple):
    """A truth or a whole number that is known before code is compiled, which then is for this one alone."""

    value: Any


class Struct:
    """Arrays, numbers, truths (either of these perhaps `Known`), other structs and lists of structs of one type, by name.

    An object holds what it was given, so that its memory stays. Fields can be read, not set; what is in an array can.
    """

    def __init__(self, **fields: Any) -> None:
        typed = tuple((name, _type_of(value)) for name, value in fields.items())
        self._held, self._numba_type_ = dict(fields), StructType(type(self).__name__, typed)
        self._memory = np.zeros(max(1, self._numba_type_.words), np.int64)
        for name, place in self._numba_type_.places.items():
            if not _words(self._numba_type_.fields[name]):
                continue
            if isinstance(value := fields[name], list):
                addresses = np.array([each.address for each in value])
                self._held[name], value = (value, addresses), addresses
            _write(self._memory[place:], value, isinstance(fields[name], list))
        self.address = self._memory.ctypes.data
        """Where it lies."""


def _type_of(value: Any) -> types.Type:
    """The type of a field."""
    if isinstance(value, Struct):
        return value._numba_type_
    if isinstance(value, list):
        kinds = {each._numba_type_ for each in value}
        assert len(kinds) == 1, "structs of a list are of one type"
        return ListType(kinds.pop())
    if isinstance(value, np.ndarray):
        return view_of(value)
    if isinstance(value, Known):
        return types.literal(value.value)
    return {bool: types.boolean, int: types.int64, float: types.float64}[type(value)]


def _words(field: types.Type) -> int:
    """Words that a field takes: of an array address and shape; none for what its type tells."""
    if isinstance(field, View):
        return 1 + field.ndim
    if isinstance(field, types.Literal):
        return 0
    return 2 if isinstance(field, ListType) else 1


def _write(memory: np.ndarray, value: Any, listed: bool) -> None:
    """Put a field at the beginning of ``memory (n,)``; listed: the value is the addresses of a list of structs."""
    if listed:
        memory[:2] = value.ctypes.data, value.size
    elif isinstance(value, np.ndarray):
        memory[: 1 + value.ndim] = value.ctypes.data, *value.shape
    elif isinstance(value, float):
        memory[:1].view(np.float64)[0] = value
    else:
        memory[0] = value.address if isinstance(value, Struct) else int(value)


register_model(StructType)(models.OpaqueModel)


@register_model(ListType)
class _ListModel(models.StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, [("addresses", types.voidptr), ("count", types.int64)])


@_infer_global(len)
class _Len(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        return signature(types.intp, *args) if isinstance(args[0], ListType) else None


@_infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        listed = isinstance(args[0], ListType) and isinstance(args[1], types.Integer)
        return signature(args[0].of, args[0], types.intp) if listed else None


@lower_builtin(len, ListType)
def _count(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    return builder.extract_value(args[0], 1)


@lower_builtin(operator.getitem, ListType, types.Integer)
def _at(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    addresses = builder.bitcast(builder.extract_value(args[0], 0), llvm.IntType(8).as_pointer().as_pointer())
    return builder.load(builder.gep(addresses, [args[1]], inbounds=True))


@typeof_impl.register(Struct)
def _typeof(value: Struct, context: Any) -> types.Type:
    return value._numba_type_


@unbox(StructType)
def _unbox(kind: Any, value: Any, c: Any) -> NativeValue:
    held = c.pyapi.object_getattr_string(value, "address")
    address = c.pyapi.long_as_longlong(held)
    c.pyapi.decref(held)
    return NativeValue(c.builder.inttoptr(address, llvm.IntType(8).as_pointer()))


def known_reads(code: ir.FunctionIR, arguments: tuple[types.Type, ...]) -> Iterator[tuple[ir.Assign, Any]]:
    """Where code that has no types yet reads what is `Known` of a struct among its ``arguments``, and what that is."""
    for block in code.blocks.values():
        for each in block.find_insts(ir.Assign):
            if isinstance(field := _type_in(code, arguments, each.value), types.Literal):
                yield each, field.literal_value


def _type_in(code: ir.FunctionIR, arguments: tuple[types.Type, ...], value: Any) -> types.Type | None:
    """The type of what an assignment assigns, if it is a struct of the arguments, a part of one, or a field."""
    if isinstance(value, ir.Var):
        defined = code._definitions.get(value.name, [])
        return _type_in(code, arguments, defined[0]) if len(defined) == 1 else None
    if isinstance(value, ir.Arg):
        return arguments[value.index]
    if isinstance(value, ir.Expr) and value.op in ("getattr", "getitem", "static_getitem"):
        of = _type_in(code, arguments, value.value)
        if value.op == "getattr":
            return of.fields.get(value.attr) if isinstance(of, StructType) else None
        return of.of if isinstance(of, ListType) else None
    return None


@infer_getattr
class _Fields(AttributeTemplate):
    key = StructType

    def generic_resolve(self, kind: Any, name: str) -> types.Type | None:
        field = kind.fields.get(name)
        return types.unliteral(field) if field else None


@lower_getattr_generic(StructType)
def _read(context: Any, builder: Any, kind: Any, pointer: Any, name: str) -> Any:
    field = kind.fields[name]
    if isinstance(field, types.Literal):
        return context.get_constant(types.unliteral(field), field.literal_value)
    model = context.data_model_manager[field]
    place = builder.gep(pointer, [llvm.Constant(llvm.IntType(64), WORD * kind.places[name])], inbounds=True)
    if isinstance(field, View):
        return builder.load(builder.bitcast(place, model.get_value_type().as_pointer()))
    return model.load_from_data_pointer(builder, builder.bitcast(place, model.get_data_type().as_pointer()))
