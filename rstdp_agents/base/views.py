"""Contiguous arrays in compiled code that somebody else owns: where they lie, and how long their axes are.

Numba's own arrays also count references and hold sizes and strides that follow from the rest, each of which is written out
wherever an array goes. A `View` is a third of that to compile. It has a ``shape``, is indexed by numbers that are not negative,
along its first axes, and along the last by a slice too, for reading and, down to a number, for writing.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer_global, signature
from numba.extending import infer_getattr, lower_builtin, lower_getattr, register_model
from numba.np.arrayobj import make_array
from numba.np.numpy_support import from_dtype

_infer_global: Any = infer_global  # its type says that it may be None
_bytes = ir.IntType(8).as_pointer()


class View(types.Type):
    """The type of an array of numbers or records, of so many axes."""

    def __init__(self, dtype: types.Type, ndim: int) -> None:
        self.dtype, self.ndim = dtype, ndim
        super().__init__(f"view{ndim} of {dtype}")


def view_of(array: np.ndarray) -> View:
    """The type by which compiled code sees an array."""
    assert array.flags.carray
    assert array.ndim
    return View(from_dtype(array.dtype), array.ndim)


def data_of(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Pointer to the first number of a view, or of a contiguous array of numba's."""
    if not isinstance(kind, View):
        return make_array(kind)(context, builder, value).data
    return builder.bitcast(builder.extract_value(value, 0), context.get_data_type(kind.dtype).as_pointer())


def shape_of(context: Any, builder: Any, kind: Any, value: Any) -> list[Any]:
    """Lengths of the axes of a view, or of an array of numba's."""
    if not isinstance(kind, View):
        return cgutils.unpack_tuple(builder, make_array(kind)(context, builder, value).shape, kind.ndim)
    return [builder.extract_value(value, (1, axis)) for axis in range(kind.ndim)]


def viewed(context: Any, builder: Any, kind: Any, data: Any, shape: list[Any]) -> Any:
    """The value of a view."""
    value = ir.Constant(context.get_value_type(kind), ir.Undefined)
    value = builder.insert_value(value, builder.bitcast(data, _bytes), 0)
    for axis, length in enumerate(shape):
        value = builder.insert_value(value, length, (1, axis))
    return value


@register_model(View)
class _Model(models.StructModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        members = [("data", types.voidptr), ("shape", types.UniTuple(types.intp, kind.ndim))]
        super().__init__(manager, kind, members)


@infer_getattr
class _Attributes(AttributeTemplate):
    key = View

    def resolve_shape(self, kind: Any) -> types.Type:
        return types.UniTuple(types.intp, kind.ndim)


@lower_getattr(View, "shape")
def _shape(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    return builder.extract_value(value, 1)


def _indices(index: types.Type) -> tuple[types.Type, ...]:
    """Types of the indices of each axis."""
    each: Any = index
    return tuple(each.types) if isinstance(index, types.BaseTuple) else (index,)


def _axes_left(kind: View, index: types.Type) -> int | None:
    """How many axes are left of a view at an index; None if it is none."""
    each = _indices(index)
    sliced = bool(each) and isinstance(each[-1], types.SliceType)
    numbers = each[:-1] if sliced else each
    if len(each) > kind.ndim or (sliced and len(each) < kind.ndim):
        return None
    return kind.ndim - len(numbers) if all(isinstance(one, types.Integer) for one in numbers) else None


@_infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        kind, index = args
        left = _axes_left(kind, index) if isinstance(kind, View) else None
        if left is None:
            return None
        return signature(View(kind.dtype, left) if left else kind.dtype, kind, index)


@_infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, args: Any, kws: Any) -> Any:
        kind, index, _ = args
        whole = isinstance(kind, View) and _axes_left(kind, index) == 0
        return signature(types.none, kind, index, kind.dtype) if whole else None


@lower_builtin(operator.getitem, View, types.Integer)
@lower_builtin(operator.getitem, View, types.BaseTuple)
@lower_builtin(operator.getitem, View, types.SliceType)
def _read(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    (kind, index), made = sig.args, sig.return_type
    shape, each, values = shape_of(context, builder, kind, args[0]), _indices(index), _values(builder, index, args[1])
    if not isinstance(each[-1], types.SliceType):
        place = _place(context, builder, kind, args[0], shape, each, values)
        left = shape[len(each) :]
        return viewed(context, builder, made, place, left) if left else context.unpack_value(builder, made, place)
    part = context.make_helper(builder, each[-1], values[-1])
    stop = builder.select(builder.icmp_signed("<", part.stop, shape[-1]), part.stop, shape[-1])
    each, values = (*each[:-1], types.intp), [*values[:-1], part.start]
    place = _place(context, builder, kind, args[0], shape, each, values)
    return viewed(context, builder, made, place, [builder.sub(stop, part.start)])


@lower_builtin(operator.setitem, View, types.Integer, types.Any)
@lower_builtin(operator.setitem, View, types.BaseTuple, types.Any)
def _write(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kind, index, number = sig.args
    shape, values = shape_of(context, builder, kind, args[0]), _values(builder, index, args[1])
    place = _place(context, builder, kind, args[0], shape, _indices(index), values)
    context.pack_value(builder, number, args[2], place)
    return context.get_dummy_value()


def _values(builder: Any, index: types.Type, value: Any) -> list[Any]:
    """The indices of each axis."""
    return cgutils.unpack_tuple(builder, value) if isinstance(index, types.BaseTuple) else [value]


def _place(context: Any, builder: Any, kind: View, value: Any, shape: Any, each: Any, values: Any) -> Any:
    """Pointer to what lies at indices along the first axes."""
    offset = None
    for axis, length in enumerate(shape):
        if offset is not None:
            offset = builder.mul(offset, length, flags=("nsw",))
        if axis < len(each):
            number = context.cast(builder, values[axis], each[axis], types.intp)
            offset = number if offset is None else builder.add(offset, number, flags=("nsw",))
    return builder.gep(data_of(context, builder, kind, value), [offset], inbounds=True)
