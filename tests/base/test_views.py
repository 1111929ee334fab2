"""Arrays that somebody else owns, in compiled code: each index as NumPy has it."""

import numpy as np
import pytest
from numba.core.errors import TypingError

from rstdp_agents.agent.fused.memory import flat, word
from rstdp_agents.base.compiled import entry
from rstdp_agents.base.structs import Struct


class Held(Struct):
    """Arrays."""


def held():
    cube = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    records = np.array([(1.5, True), (2.5, False)], dtype=np.dtype([("x", float), ("on", bool)], align=True))
    return {"cube": cube, "on": np.zeros(3, bool), "records": records, "few": np.arange(3, dtype=np.int32)}


@entry()
def parts(h, out, i, n):
    plane, row = h.cube[i], h.cube[i, 2]
    out[0], out[1], out[2] = plane[1, 3], row[3], h.cube[i, 1, np.int32(2)]
    some = h.cube[i, 2, :n]
    rest, middle = h.cube[i, 2, n:], row[1:n]
    out[3], out[4], out[5] = some.shape[0], rest.shape[0], middle.shape[0]
    out[6], out[7], out[8] = some[0], rest[0], middle[0]
    out[9], out[10] = flat(plane)[5], flat(plane).shape[0]
    out[11], out[12] = h.records[i].x, h.records[i].on
    return h.cube.shape, plane.shape, row.shape


def test_a_view_is_indexed_as_an_array():
    arrays, out = held(), np.zeros(13)
    cube = arrays["cube"]
    shapes = parts(Held(**arrays), out, 1, 3)
    assert shapes == ((2, 3, 4), (3, 4), (4,))
    some, rest, middle = cube[1, 2, :3], cube[1, 2, 3:], cube[1, 2, 1:3]
    assert out.tolist() == [
        cube[1, 1, 3], cube[1, 2, 3], cube[1, 1, 2], 3, 1, 2, some[0], rest[0], middle[0], cube[1].flat[5], 12, 2.5, False
    ]  # fmt: skip
    parts(Held(**arrays), out, 0, 9)
    assert out[3] == 4, "a slice ends where the axis does"


@entry()
def write(h, i):
    h.cube[i, 0, 1] = 7
    h.cube[i][2, 3] += 0.5
    h.on[i] = h.cube[i, 0, 1] == 7.0
    h.few[i] = h.few[i] * 3 + np.uint8(1)
    return word(h.cube, 5)


def test_what_is_written_to_a_view_is_in_the_array():
    arrays = held()
    expected = {name: array.copy() for name, array in arrays.items()}
    expected["cube"][1, 0, 1], expected["on"][1], expected["few"][1] = 7, True, 4
    expected["cube"][1, 2, 3] += 0.5
    bits = write(Held(**arrays), 1)
    assert all(np.array_equal(arrays[name], array) for name, array in expected.items())
    assert bits == expected["cube"].view(np.uint32).flat[5]


@entry()
def beyond(h):
    return h.few[0, 0]


@entry()
def slice_first(h):
    return h.cube[:1]


@entry()
def write_row(h):
    h.cube[0, 0] = 1.0


@pytest.mark.parametrize("refused", [beyond, slice_first, write_row])
def test_what_a_view_cannot_do_is_refused_when_it_is_compiled(refused):
    with pytest.raises(TypingError, match="view"):
        refused(Held(**held()))
