"""An equation in all its forms: numbers of Python and of compiled code, lanes, tensors of both precisions."""

from functools import cache

import numpy as np
import torch
from numba import njit
from numba.extending import register_jitable

from rstdp_agents.equations.lanes import WIDTH, load, store


def values(equation, columns, *constants, lanes=True):
    """What an equation makes of ``columns (n, 16)``, its first n arguments, and of ``constants``: ``(outputs, 16)``.

    All forms agree, but for rounding; lanes where the equation has that form.
    """
    columns = np.array(np.broadcast_arrays(*columns, np.empty(WIDTH))[:-1], dtype=np.float64)
    expected = _rows([equation(*map(float, column), *constants) for column in columns.T])
    outputs = len(expected)
    numbers, sixteen = _compiled(equation, len(columns), outputs, lanes)
    found = np.empty((outputs, WIDTH))
    numbers(columns, constants, found)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    if lanes:
        found = np.empty(outputs * WIDTH, np.float32)
        sixteen(columns.astype(np.float32), constants, found)
        np.testing.assert_allclose(found.reshape(outputs, WIDTH), expected, rtol=2e-6, atol=2e-6)
    for kind, close in ((torch.float64, 1e-12), (torch.float32, 2e-6)):
        made = equation(*torch.from_numpy(columns).to(kind), *constants)
        made = made if isinstance(made, tuple) else (made,)
        assert all(each.dtype in (kind, torch.bool) for each in made)
        np.testing.assert_allclose(torch.stack([each.to(kind) for each in made]), expected, rtol=close, atol=close)
    return expected if outputs > 1 else expected[0]


def _rows(results):
    return np.array([result if isinstance(result, tuple) else (result,) for result in results], dtype=np.float64).T


@cache
def _compiled(equation, inputs, outputs, lanes):
    """Compiled code that fills an array ``(outputs, 16)``, number by number and, from flat columns, sixteen at once."""
    if outputs == 1:
        one, in_lanes = _one(equation, inputs)
        return one, in_lanes if lanes else None
    return _several(equation)


def _one(equation, inputs):
    calls = {
        1: (lambda c, i, k: equation(c[0, i], *k), lambda c, k: equation(load(c[0], 0), *k)),
        2: (lambda c, i, k: equation(c[0, i], c[1, i], *k), lambda c, k: equation(load(c[0], 0), load(c[1], 0), *k)),
        3: (
            lambda c, i, k: equation(c[0, i], c[1, i], c[2, i], *k),
            lambda c, k: equation(load(c[0], 0), load(c[1], 0), load(c[2], 0), *k),
        ),
        4: (
            lambda c, i, k: equation(c[0, i], c[1, i], c[2, i], c[3, i], *k),
            lambda c, k: equation(load(c[0], 0), load(c[1], 0), load(c[2], 0), load(c[3], 0), *k),
        ),
    }
    number, sixteen = map(register_jitable, calls[inputs])

    @njit
    def one_by_one(columns, constants, out):
        for i in range(WIDTH):
            out[0, i] = number(columns, i, constants)

    @njit
    def in_lanes(columns, constants, out):
        store(out, 0, sixteen(columns, constants))

    return one_by_one, in_lanes


def _several(equation):
    """Of four inputs and three outputs."""

    @njit
    def one_by_one(c, constants, out):
        for i in range(WIDTH):
            out[0, i], out[1, i], out[2, i] = equation(c[0, i], c[1, i], c[2, i], c[3, i], *constants)

    @njit
    def in_lanes(c, constants, out):
        made = equation(load(c[0], 0), load(c[1], 0), load(c[2], 0), load(c[3], 0), *constants)
        store(out, 0, made[0])
        store(out, WIDTH, made[1])
        store(out, 2 * WIDTH, made[2])

    return one_by_one, in_lanes
