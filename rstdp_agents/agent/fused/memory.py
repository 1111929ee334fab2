"""Memory in compiled code: what a step works with, and whole rows at once.

Numba's own ways to make, see and set arrays are functions that it compiles for every type, with their errors in words.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.np.arrayobj import make_array, populate_array

from rstdp_agents.base.compiled import intrinsic, jit
from rstdp_agents.base.views import View, data_of, shape_of, viewed

ALIGNED = 64
"""Bytes."""


def _array(context, builder, kind, shape, data, meminfo):
    """The value of a contiguous array."""
    array, size = make_array(kind)(context, builder), context.get_abi_sizeof(context.get_data_type(kind.dtype))
    strides = [context.get_constant(types.intp, size)]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    populate_array(
        array, data=data, shape=cgutils.pack_array(builder, shape), strides=cgutils.pack_array(builder, strides),
        itemsize=context.get_constant(types.intp, size), meminfo=meminfo,
    )  # fmt: skip
    return array


@intrinsic
def room(typingctx, shape, kind):
    """An array with nothing in it yet. shape: a number, or several; kind: a number type of numpy."""
    many = shape.count if isinstance(shape, types.UniTuple) else 1

    def codegen(context, builder, signature, args):
        made, several = signature.return_type, isinstance(signature.args[0], types.UniTuple)
        axes = cgutils.unpack_tuple(builder, args[0]) if several else [args[0]]
        item = context.get_data_type(made.dtype)
        size = context.get_constant(types.intp, context.get_abi_sizeof(item))
        for length in axes:
            size = builder.mul(size, length)
        meminfo = context.nrt.meminfo_alloc_aligned(builder, size, context.get_constant(types.uint32, ALIGNED))
        data = builder.bitcast(context.nrt.meminfo_data(builder, meminfo), item.as_pointer())
        return _array(context, builder, made, axes, data, meminfo)._getvalue()

    sizes = types.UniTuple(types.intp, many) if isinstance(shape, types.UniTuple) else types.intp
    return types.Array(kind.dtype, many, "C")(sizes, kind), codegen


@intrinsic
def seen(typingctx, array):
    """A contiguous array as a view, which counts no references: for arguments."""

    def codegen(context, builder, signature, args):
        (kind,) = signature.args
        data, shape = data_of(context, builder, kind, args[0]), shape_of(context, builder, kind, args[0])
        return viewed(context, builder, signature.return_type, data, shape)

    return View(array.dtype, array.ndim)(array), codegen


@intrinsic
def flat(typingctx, array):
    """A contiguous array, seen along a single axis: a view, which does not keep what was made by `room`.

    So it is for arguments, and for arrays that are used later themselves.
    """

    def codegen(context, builder, signature, args):
        (seen,), size = signature.args, context.get_constant(types.intp, 1)
        for length in shape_of(context, builder, seen, args[0]):
            size = builder.mul(size, length)
        return viewed(context, builder, signature.return_type, data_of(context, builder, seen, args[0]), [size])

    return View(array.dtype, 1)(array), codegen


@intrinsic
def word(typingctx, array, place):
    """The bits of a number of a float32 array, as uint32."""

    def codegen(context, builder, signature, args):
        data = data_of(context, builder, signature.args[0], args[0])
        return builder.load(builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(32).as_pointer()))

    return types.uint32(array, types.intp), codegen


@jit()
def fill(row, value):
    """Set all of ``row (n,)``."""
    for i in range(row.shape[0]):
        row[i] = value


@jit()
def copy(source, row):
    """Set ``row (n,)`` to ``source (n,)``."""
    for i in range(row.shape[0]):
        row[i] = source[i]
