"""Sixteen numbers at once do what numpy does."""

import numpy as np
import pytest
from numba import njit

from rstdp_agents.equations.lanes import (
    WIDTH,
    between,
    count_bits,
    exponent_and_mantissa,
    load,
    lowest_bit,
    select,
    splat,
    store,
    total,
)
from rstdp_agents.equations.ops import exp


@njit
def compute(a, b, first, out):
    x, y = load(a, first), load(b, first)
    exponent, mantissa = exponent_and_mantissa(x * x)
    results = (
        x + y, x - y, x * y, 2 / x, x >= y, (x > y) & (x < 0.5), (x <= y) & (x < 0.5), select(x >= y, x, 7), between(x, -1, y),
        splat(3) - x, exponent, mantissa,
    )  # fmt: skip
    for i in range(len(results)):
        store(out, i * WIDTH, results[i])
    return total(x)


@njit
def bits_of(word):
    return lowest_bit(word), count_bits(word)


@pytest.mark.parametrize("first", [0, 1, 5])
def test_lanes_compute_as_numpy(first):
    random = np.random.default_rng(first)
    a, b = random.normal(size=(2, WIDTH + 5)).astype(np.float32)
    b = np.maximum(b, -1)
    b[first + 2] = a[first + 2]
    out = np.zeros(12 * WIDTH, dtype=np.float32)
    sum_of_a = compute(a, b, first, out)
    x, y = a[first : first + WIDTH], b[first : first + WIDTH]
    mantissa, exponent = np.frexp(x * x)
    mantissa, exponent = np.where(mantissa < 0.5**0.5, (2 * mantissa, exponent - 1), (mantissa, exponent))
    expected = [
        x + y, x - y, x * y, 2 / x, x >= y, (x > y) & (x < 0.5), (x <= y) & (x < 0.5), np.where(x >= y, x, 7), np.clip(x, -1, y),
        3 - x, exponent, mantissa,
    ]  # fmt: skip
    np.testing.assert_allclose(out.reshape(12, WIDTH), np.array(expected, dtype=np.float32), rtol=1e-6)
    assert sum_of_a == pytest.approx(x.sum(), rel=1e-5)


@pytest.mark.parametrize("word", [0, 1, 2**63, 2**40 + 2**12, 2**64 - 1])
def test_bits_are_found_and_counted(word):
    lowest = 64 if word == 0 else (word & -word).bit_length() - 1
    assert bits_of(np.uint64(word)) == (lowest, word.bit_count())


@njit
def exponential(a, out):
    store(out, 0, exp(load(a, 0)))


def test_the_exponential_of_lanes_is_rounded_and_ends_where_float32_does():
    for low, high in ((-87.0, 87.0), (-1.0, 1.0), (-0.35, 0.35)):
        x, out = np.linspace(low, high, WIDTH, dtype=np.float32), np.empty(WIDTH, np.float32)
        exponential(x, out)
        np.testing.assert_allclose(out, np.exp(x.astype(np.float64)), rtol=3e-7)
    exponential(np.full(WIDTH, 1e9, np.float32), out)
    assert (np.isfinite(out) & (out > 1e37)).all()
