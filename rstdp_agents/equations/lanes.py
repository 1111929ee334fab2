"""Sixteen float32 numbers at once, in compiled code.

Loops over the few output neurons of a small network are too short for the compiler to vectorise; so kernels say it themselves.
A value of type `Lanes` lives in registers: `load` it from an array, compute with ``+ - * /``, comparisons, the functions here and
those of `ops`, `store` it. A number among lanes stands in all of them. Masks are lanes of ones and zeros, joined by ``&``.
"""

from __future__ import annotations

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import models, overload, register_model

from rstdp_agents.base.compiled import FAST, INLINED, intrinsic
from rstdp_agents.base.views import data_of

WIDTH = 16
FLAGS = tuple(FAST)
LOG_2, COARSE = 0.6931471805599453, 0.693359375
"""The logarithm of 2, and its first bits, few enough for products with small whole numbers to be exact."""
LARGEST_EXPONENT = 87.0
"""Beyond it a float32 has no exponential of full precision."""
HALF_ROOT = 0x3F3504F3
"""The bits of the float32 closest to the square root of a half."""
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
    data = data_of(context, builder, signature.args[0], args[0])
    return builder.bitcast(builder.gep(data, [args[1]]), _vector.as_pointer())


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
        return _as_lanes(context, builder, signature.args[0], args[0])

    return lanes(types.unliteral(value)), codegen


def _as_lanes(context, builder, kind, value):
    """``value`` if it is of lanes, else the number in all lanes."""
    if kind is lanes:
        return value
    number = context.cast(builder, value, kind, types.float32)
    one = builder.insert_element(ir.Constant(_vector, ir.Undefined), number, cgutils.int32_t(0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(cgutils.int32_t, WIDTH), [0] * WIDTH))


def of_lanes(*kinds):
    """Whether some arguments are lanes and all others numbers."""
    return lanes in kinds and all(kind is lanes or isinstance(kind, types.Number | types.Boolean) for kind in kinds)


def mixed(operate):
    """A function of lanes or numbers, from one of an LLVM builder and vectors."""

    def codegen(context, builder, signature, args):
        return operate(
            builder, *(_as_lanes(context, builder, *each) for each in zip(signature.args, args, strict=True))
        )

    return lambda *kinds: (lanes(*map(types.unliteral, kinds)), codegen)


def _compared(predicate):
    """1 where the comparison holds, else 0: lanes, from two vectors."""
    return lambda builder, a, b: builder.uitofp(builder.fcmp_ordered(predicate, a, b), _vector)


def _selected(builder, mask, a, b):
    return builder.select(builder.fcmp_ordered("!=", mask, ir.Constant(_vector, [0.0] * WIDTH)), a, b)


def _clipped(builder, a, low, high):
    a = builder.select(builder.fcmp_ordered("<", a, low), low, a)
    return builder.select(builder.fcmp_ordered(">", a, high), high, a)


@intrinsic
def select(typingctx, mask, a, b):
    """Lanes of a where mask is not 0, else of b."""
    return mixed(_selected)(mask, a, b)


@intrinsic
def between(typingctx, a, low, high):
    """Lanes of a, clipped to [low, high]."""
    return mixed(_clipped)(a, low, high)


def _operator(symbol, operate):
    """Give an operator of Python its meaning for lanes, and for lanes and a number."""

    @intrinsic
    def call(typingctx, a, b):
        return mixed(operate)(a, b)

    @overload(symbol, jit_options=INLINED)
    def overloaded(a, b):
        return (lambda a, b: call(a, b)) if of_lanes(a, b) else None


_operator(operator.add, lambda builder, a, b: builder.fadd(a, b, flags=FLAGS))
_operator(operator.sub, lambda builder, a, b: builder.fsub(a, b, flags=FLAGS))
_operator(operator.mul, lambda builder, a, b: builder.fmul(a, b, flags=FLAGS))
_operator(operator.truediv, lambda builder, a, b: builder.fdiv(a, b, flags=FLAGS))
_operator(operator.and_, lambda builder, a, b: builder.fmul(a, b, flags=FLAGS))
_operator(operator.ge, _compared(">="))
_operator(operator.gt, _compared(">"))
_operator(operator.le, _compared("<="))
_operator(operator.lt, _compared("<"))


@intrinsic
def total(typingctx, a):
    """Sum over the lanes."""

    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(_float, [_float, _vector])
        reduce = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.fadd.v{WIDTH}f32")
        return builder.call(reduce, [ir.Constant(_float, 0.0), args[0]], fastmath=FLAGS)

    return types.float32(lanes), codegen


@intrinsic
def exponent_and_mantissa(typingctx, a):
    """Lanes e and m of positive lanes a = m 2^e, with m in [sqrt(1/2), sqrt(2))."""
    pair = types.UniTuple(lanes, 2)

    def codegen(context, builder, signature, args):
        words = ir.VectorType(cgutils.int32_t, WIDTH)

        def all_lanes(number):
            return ir.Constant(words, [number] * WIDTH)

        shifted = builder.sub(builder.bitcast(args[0], words), all_lanes(HALF_ROOT))
        exponent = builder.sitofp(builder.ashr(shifted, all_lanes(23)), _vector)
        mantissa = builder.add(builder.and_(shifted, all_lanes(0x7FFFFF)), all_lanes(HALF_ROOT))
        return context.make_tuple(builder, pair, [exponent, builder.bitcast(mantissa, _vector)])

    return pair(lanes), codegen


@intrinsic
def remainder_and_power(typingctx, a):
    """Lanes r, within log(2) / 2 of 0, and a power of two p, so that exp(a) = p exp(r) of lanes a that a float32 can hold."""
    pair = types.UniTuple(lanes, 2)

    def codegen(context, builder, signature, args):
        words = ir.VectorType(cgutils.int32_t, WIDTH)

        def all_lanes(kind, number):
            return ir.Constant(kind, [number] * WIDTH)

        held = _clipped(builder, args[0], all_lanes(_vector, -LARGEST_EXPONENT), all_lanes(_vector, LARGEST_EXPONENT))
        floor = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_vector, [_vector]), f"llvm.floor.v{WIDTH}f32"
        )
        scaled = builder.fadd(builder.fmul(held, all_lanes(_vector, 1.0 / LOG_2)), all_lanes(_vector, 0.5))
        exponent = builder.call(floor, [scaled])
        remainder = held
        for part in (COARSE, LOG_2 - COARSE):  # a product with the first is exact; no flag lets the two be joined
            remainder = builder.fsub(remainder, builder.fmul(exponent, all_lanes(_vector, part)))
        biased = builder.add(builder.fptosi(exponent, words), all_lanes(words, 127))
        power = builder.bitcast(builder.shl(biased, all_lanes(words, 23)), _vector)
        return context.make_tuple(builder, pair, [remainder, power])

    return pair(lanes), codegen


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
