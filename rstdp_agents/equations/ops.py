"""Operations that mean the same for numbers, lanes and tensors, so that an equation is written once for all of them.

Beside them, ``+ - * /``, comparisons and ``&`` of masks are the same for all three. Numbers are those of Python and of
compiled code.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import torch
from numba.extending import overload
from torch import Tensor

from rstdp_agents.base.compiled import INLINED, equation
from rstdp_agents.equations.lanes import (
    between,
    exponent_and_mantissa,
    lanes,
    of_lanes,
    remainder_and_power,
    select,
    splat,
)

Value: TypeAlias = Any
"""A number, lanes of sixteen, or a tensor; all of an equation's are of one kind, but numbers go with lanes and with tensors."""
CLOSEST = 1e-7
"""How close to 0 and 1 a probability may come in `logit`."""


def where(mask: Value, a: Value, b: Value) -> Value:
    """``a`` where ``mask`` holds, else ``b``; among tensors, one of them is a tensor."""
    if isinstance(mask, Tensor):
        return torch.where(mask, a, b)
    return a if mask else b


def clip(x: Value, low: Value, high: Value) -> Value:
    """``x``, at least ``low`` and at most ``high``; what is no number stays."""
    return x.clamp(low, high) if isinstance(x, Tensor) else min(max(x, low), high)


def lerp(a: Value, b: Value, share: Value) -> Value:
    """``a``, moved towards ``b`` by a share of their distance."""
    return a.lerp(b, share) if isinstance(a, Tensor) else a + share * (b - a)


def like(number: float, x: Value) -> Value:
    """The number, of the type of ``x``: written into an equation as it is, it would make compiled code compute in float64."""
    return x.new_full((), number) if isinstance(x, Tensor) else type(x)(number)


def log(x: Value) -> Value:
    """Natural logarithm of a positive value; of lanes to float32 rounding."""
    return x.log() if isinstance(x, Tensor) else math.log(x)


def logit(p: Value) -> Value:
    """log(p / (1 - p)) of probabilities, held within [1e-7, 1 - 1e-7]."""
    return torch.logit(p, eps=CLOSEST) if isinstance(p, Tensor) else _log_odds(p)


@equation
def _log_odds(p: Value) -> Value:
    p = clip(p, CLOSEST, 1.0 - CLOSEST)
    return log(p / (1.0 - p))


def cloglog(p: Value) -> Value:
    """log(-log(1 - p)) of probabilities, the complementary log-log, held within [1e-7, 1 - 1e-7]."""
    if isinstance(p, Tensor):
        return p.clamp(CLOSEST, 1.0 - CLOSEST).neg_().log1p_().neg_().log_()
    return _log_of_hazard(p)


@equation
def _log_of_hazard(p: Value) -> Value:
    return log(log(1.0 - clip(p, CLOSEST, 1.0 - CLOSEST)) * -1.0)


def exp(x: Value) -> Value:
    """Exponential; of lanes to float32 rounding, and within e^-87 and e^87."""
    return x.exp() if isinstance(x, Tensor) else math.exp(x)


LEAST = 1e-30
"""The least base of a power."""


@equation
def power(x: Value, exponent: Value) -> Value:
    """``x`` to a positive power; what is below `LEAST` counts as that."""
    return exp(log(clip(x, LEAST, math.inf)) * exponent)


def log1p(x: Value) -> Value:
    """log(1 + x) of a number or tensor."""
    return x.log1p() if isinstance(x, Tensor) else math.log1p(x)


def sqrt(x: Value) -> Value:
    """Square root of a number or tensor."""
    return x.sqrt() if isinstance(x, Tensor) else math.sqrt(x)


def cos(x: Value) -> Value:
    """Cosine of a number or tensor."""
    return x.cos() if isinstance(x, Tensor) else math.cos(x)


def _overload(function: Any) -> Any:
    return overload(function, jit_options=INLINED)


@_overload(where)
def _where(mask, a, b):
    return (lambda mask, a, b: select(mask, a, b)) if mask is lanes else lambda mask, a, b: a if mask else b


@_overload(clip)
def _clip(x, low, high):
    if of_lanes(x, low, high):
        return lambda x, low, high: between(x, low, high)
    return lambda x, low, high: min(max(x, low), high)


@_overload(lerp)
def _lerp(a, b, share):
    return lambda a, b, share: a + share * (b - a)


@_overload(like)
def _like(number, x):
    return (lambda number, x: splat(number)) if x is lanes else lambda number, x: type(x)(number)


@_overload(logit)
def _logit(p):
    return lambda p: _log_odds(p)


@_overload(cloglog)
def _cloglog(p):
    return lambda p: _log_of_hazard(p)


@_overload(log)
def _log(x):
    return _log_of_lanes if x is lanes else lambda x: math.log(x)


def _log_of_lanes(x):
    """Log x = e log 2 + log m with x = m 2^e, and log m by a polynomial in m - 1."""
    exponent, m = exponent_and_mantissa(x)
    m = m - 1.0
    p = m * 7.0376836292e-2 + -1.1514610310e-1
    p = p * m + 1.1676998740e-1
    p = p * m + -1.2420140846e-1
    p = p * m + 1.4249322787e-1
    p = p * m + -1.6668057665e-1
    p = p * m + 2.0000714765e-1
    p = p * m + -2.4999993993e-1
    p = p * m + 3.3333331174e-1
    return m + (m * m * (m * p - 0.5) + exponent * 0.69314718056)


@_overload(exp)
def _exp(x):
    return _exp_of_lanes if x is lanes else lambda x: math.exp(x)


def _exp_of_lanes(x):
    """exp(x) = p exp(r), and exp(r) by a polynomial."""
    r, power = remainder_and_power(x)
    p = r * 1.9875691500e-4 + 1.3981999507e-3
    p = p * r + 8.3334519073e-3
    p = p * r + 4.1665795894e-2
    p = p * r + 1.6666665459e-1
    p = p * r + 5.0000001201e-1
    return (p * r * r + r + 1.0) * power


def _of_numbers(function: Any, of_number: Any) -> None:
    @_overload(function)
    def overloaded(x):
        return lambda x: of_number(x)


for _function, _of_number in ((log1p, math.log1p), (sqrt, math.sqrt), (cos, math.cos)):
    _of_numbers(_function, _of_number)
