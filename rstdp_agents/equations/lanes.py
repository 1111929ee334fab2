"""Sixteen float32 numbers at once, in compiled code.

Loops over the few output neurons of a small network are too short for the compiler to vectorise; so kernels say it themselves.
A value of type `Lanes` lives in registers: `load` it from an array, compute with ``+ - *`` and the functions here, `store` it.
Masks are lanes of ones and zeros.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic as numba_intrinsic
from numba.extending import models, overload, register_model

WIDTH = 16
intrinsic: Any = numba_intrinsic  # callers do not give the first argument, which type checkers cannot know
FLAGS = ("reassoc", "contract", "arcp", "nsz")
_float = ir.FloatType()
_vector = ir.VectorType(_float, WIDTH)


class Lanes(types.Type):
    """The type of sixteen float32 numbers."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _vector)


def _place(context, builder, signature, args):
    """Pointer to the lanes of an array that begin at an index, both the first of ``args``."""
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.bitcast(builder.gep(array.data, [args[1]]), _vector.as_pointer())


@intrinsic
def load(typingctx, array, first):
    """Lanes of a contiguous float32 array from index ``first``."""

    def codegen(context, builder, signature, args):
        return builder.load(_place(context, builder, signature, args), align=4)

    return lanes(array, types.intp), codegen


@intrinsic
def store(typingctx, array, first, value):
    """Write lanes to a contiguous float32 array from index ``first``."""

    def codegen(context, builder, signature, args):
        builder.store(args[2], _place(context, builder, signature, args), align=4)
        return context.get_dummy_value()

    return types.void(array, types.intp, lanes), codegen


@intrinsic
def splat(typingctx, value):
    """The same number in all lanes."""

    def codegen(context, builder, signature, args):
        number = context.cast(builder, args[0], signature.args[0], types.float32)
        one = builder.insert_element(ir.Constant(_vector, ir.Undefined), number, cgutils.int32_t(0))
        return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(cgutils.int32_t, WIDTH), [0] * WIDTH))

    return lanes(value), codegen


@intrinsic
def at_least(typingctx, a, b):
    """1 where a >= b, else 0."""

    def codegen(context, builder, signature, args):
        return builder.uitofp(builder.fcmp_ordered(">=", *args), _vector)

    return lanes(lanes, lanes), codegen


@intrinsic
def select(typingctx, mask, a, b):
    """Lanes of a where mask is not 0, else of b."""

    def codegen(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered("!=", args[0], ir.Constant(_vector, [0.0] * WIDTH)), *args[1:])

    return lanes(lanes, lanes, lanes), codegen


@intrinsic
def total(typingctx, a):
    """Sum over the lanes."""

    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(_float, [_float, _vector])
        reduce = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.fadd.v{WIDTH}f32")
        return builder.call(reduce, [ir.Constant(_float, 0.0), args[0]], fastmath=FLAGS)

    return types.float32(lanes), codegen


def _arithmetic(name):
    @intrinsic
    def operate(typingctx, a, b):
        def codegen(context, builder, signature, args):
            return getattr(builder, name)(*args, flags=FLAGS)

        return lanes(lanes, lanes), codegen

    return operate


_add, _subtract, _multiply = _arithmetic("fadd"), _arithmetic("fsub"), _arithmetic("fmul")


@overload(operator.add)
def _lanes_add(a, b):
    return (lambda a, b: _add(a, b)) if a is lanes and b is lanes else None


@overload(operator.sub)
def _lanes_sub(a, b):
    return (lambda a, b: _subtract(a, b)) if a is lanes and b is lanes else None


@overload(operator.mul)
def _lanes_mul(a, b):
    return (lambda a, b: _multiply(a, b)) if a is lanes and b is lanes else None


@intrinsic
def between(typingctx, a, low, high):
    """Lanes of a, clipped to [low, high]."""

    def codegen(context, builder, signature, args):
        value, low, high = args
        value = builder.select(builder.fcmp_ordered("<", value, low), low, value)
        return builder.select(builder.fcmp_ordered(">", value, high), high, value)

    return lanes(lanes, lanes, lanes), codegen


@intrinsic
def lowest_bit(typingctx, bits):
    """Place of the lowest bit that is set in a uint64; 64 if none is."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], cgutils.false_bit)

    return types.int64(types.uint64), codegen


@intrinsic
def count_bits(typingctx, bits):
    """Number of bits that are set in a uint64."""

    def codegen(context, builder, signature, args):
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen
