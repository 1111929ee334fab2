"""Objects of arrays in compiled code, and functions that exist within their callers alone."""

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from rstdp_agents.base.compiled import entry, jit
from rstdp_agents.base.structs import Known, Struct


class Part(Struct):
    """Rows."""


class Whole(Struct):
    """Parts and numbers."""


def made(rows=(2, 3)):
    parts = [Part(row=np.arange(n, dtype=np.float32), scale=0.5 * n) for n in rows]
    table = np.arange(6, dtype=np.int64).reshape(2, 3)
    return Whole(
        parts=parts, table=table, last=parts[-1], on=True, count=len(rows), empty=np.zeros((0, 3)), one=np.array([7.0])
    )


@jit()
def scaled(part, i):
    return part.row[i] * part.scale


@jit()
def total(whole):
    found = 0.0
    for i in range(len(whole.parts)):
        part = whole.parts[i]
        for j in range(part.row.shape[0]):
            found += scaled(part, j)
    return found


@entry()
def read(whole):
    shape, empty = whole.table.shape, whole.empty.shape
    return total(whole), whole.table[1, 2], whole.on, whole.count, whole.last.scale, shape, empty, whole.one[0]


@entry()
def write(whole, value):
    whole.table[0, 1] = value
    for i in range(len(whole.parts)):
        whole.parts[i].row[0] = value


def test_what_is_in_a_struct_is_read_by_name_in_compiled_code():
    assert read(made()) == (1.0 + 4.5, 5, True, 2, 1.5, (2, 3), (0, 3), 7.0)
    assert read(made((4, 2, 1))) == (12.0 + 1.0, 5, True, 3, 0.5, (2, 3), (0, 3), 7.0)
    assert len(read.signatures) == 1, "a list of another length is of the same type"


def test_arrays_of_a_struct_are_those_that_it_was_given():
    table, row = np.zeros((2, 3), np.int64), np.zeros(4, np.float32)
    part = Part(row=row, scale=1.0)
    whole = Whole(
        parts=[part, part], table=table, last=part, on=False, count=0, empty=np.zeros((0, 3)), one=np.array([0.0])
    )
    write(whole, 9)
    assert table.tolist() == [[0, 9, 0], [0, 0, 0]]
    assert row.tolist() == [9, 0, 0, 0]


@pytest.mark.parametrize("array", [np.zeros((4, 4))[:, ::2], np.zeros((3, 2)).T])
def test_what_does_not_lie_in_one_piece_is_no_field(array):
    with pytest.raises(AssertionError):
        Part(row=array)


def test_a_function_of_compiled_code_is_not_called_by_python_but_by_any_compiled_function():
    total.compile((made()._numba_type_,))
    with pytest.raises(TypeError):
        total(made())

    @njit
    def outside(whole):
        return 2.0 * total(whole)

    assert outside(made()) == 11.0


@jit()
def with_part(part):
    return part.missing[0] if part.has_more else part.row[0]


@jit()
def of_kind(whole):
    first = whole.parts[0]
    if whole.kind == 3:
        return with_part(first) + 100.0
    return with_part(first).no_such_thing


@entry()
def known(whole):
    return of_kind(whole), whole.kind, whole.parts[0].has_more


def test_what_a_branch_on_something_known_leaves_out_is_not_compiled():
    row, more = np.array([2.0]), np.array([5.0])
    plain, other = Part(row=row, has_more=Known(False)), Part(row=row, missing=more, has_more=Known(True))
    assert known(Whole(parts=[plain], kind=Known(3))) == (102.0, 3, False)
    assert known(Whole(parts=[other], kind=Known(3))) == (105.0, 3, True)
    assert len(known.signatures) == 2, "code is compiled for what is known"
    with pytest.raises(TypingError, match="no_such_thing"):
        known(Whole(parts=[plain], kind=Known(4)))
    with pytest.raises(TypingError, match="missing"):
        known(Whole(parts=[Part(row=row, has_more=False)], kind=Known(3)))


@entry()
def asked(whole):
    return (1 if whole.on else 2) + whole.count


def test_what_is_not_known_shares_its_code():
    many = [asked(Whole(on=on, count=count)) for on in (True, False) for count in (10, 20)]
    assert many == [11, 21, 12, 22]
    assert len(asked.signatures) == 1
