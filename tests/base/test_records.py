"""Constants by name in compiled code."""

from typing import NamedTuple

import numpy as np
from numba import njit

from rstdp_agents.base.records import by_value, record_type, records


class Inner(NamedTuple):
    rate: float
    switched: bool


class Outer(NamedTuple):
    count: int
    inner: Inner


@njit
def compute(rows, i):
    c = by_value(rows[i], Outer)
    return c.count * c.inner.rate if c.inner.switched else -1.0


def test_fields_of_a_record_are_those_of_the_class_whatever_its_values_are_of():
    rows = records(Outer(3, Inner(1, True)), 2)  # 1 where a float is meant
    assert rows.dtype == record_type(Outer)
    assert (rows.shape, rows["inner"]["rate"].dtype, rows["count"].dtype) == ((2,), np.float64, np.int64)
    assert rows.tolist() == [(3, (1.0, True))] * 2


def test_compiled_code_reads_them_by_name_and_each_row_has_its_own():
    rows = records(Outer(3, Inner(0.5, True)), 3)
    rows["inner"]["rate"][1], rows["inner"]["switched"][2] = 0.25, False
    assert [compute(rows, i) for i in range(3)] == [1.5, 0.75, -1.0]
